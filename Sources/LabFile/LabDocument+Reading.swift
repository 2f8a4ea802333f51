internal import Glibc

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

        // Without waiting, and looked at once more: the name may lead to a FIFO meanwhile.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot be read: \(Self.reason(errno))", path: path) }
        defer { close(descriptor) }
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw failure("is not a regular file", path: path)
        }
        // One byte more than allowed shows that there is more.
        let capacity = LabDocument.maximumSize + 1
        var failed: CInt = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            while count < capacity {
                let got = read(descriptor, buffer.baseAddress! + count, capacity - count)
                if got < 0, errno == EINTR { continue }
                if got < 0 { failed = errno }
                if got <= 0 { break }
                count += got
            }
        }
        if failed != 0 { throw failure("cannot be read: \(Self.reason(failed))", path: path) }
        if bytes.count == capacity {
            throw failure("is larger than \(LabDocument.maximumSize >> 20) MiB; that is no lab file", path: path)
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
