internal import Glibc
internal import RegularFile

extension LabDocument {
    /// Reads and parses the file at `path`; of a directory, its `lab.yaml`.
    public init(path: String) throws(LabFileErrors) {
        let source = try LabSource(reading: path)
        try self.init(source)
    }
}

extension LabSource {
    /// Reads the file at `path`, or `lab.yaml` in the directory there; text must be UTF-8 and of a lab's size.
    public init(reading path: String) throws(LabFileErrors) {
        func failure(_ problem: String, path: String) -> LabFileErrors {
            LabFileErrors([LabFileError(at: nil, problem)], in: LabSource(path: path, text: ""))
        }
        var path = path
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw failure("cannot be read: \(Self.reason(errno))", path: path)
        }
        if status.st_mode & S_IFMT == S_IFDIR {
            while path.count > 1, path.hasSuffix("/") { path.removeLast() }
            let file = path + "/lab.yaml"
            guard stat(file, &status) == 0 else {
                throw failure("is a directory without a lab.yaml", path: path)
            }
            path = file
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw failure("is not a regular file", path: path) }

        let bytes: [UInt8]
        do throws(RegularFile.Problem) {
            bytes = try RegularFile(path).bytes(most: LabDocument.maximumSize)
        } catch {
            let remark = if case .tooLarge = error { "; that is not a lab file" } else { "" }
            throw failure("\(error)\(remark)", path: path)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw failure("is not a text file in UTF-8", path: path)
        }
        self.init(path: path, text: text, folder: Self.folder(of: path))
    }

    private static func folder(of path: String) -> String {
        let folder = path.contains("/") ? String(path[..<path.lastIndex(of: "/")!]) : "."
        guard let real = realpath(folder.isEmpty ? "/" : folder, nil) else { return "" }
        defer { free(real) }
        return String(cString: real)
    }

    private static func reason(_ code: CInt) -> String {
        code == ENOENT ? "there is no such file" : String(cString: strerror(code)).lowercased()
    }
}
