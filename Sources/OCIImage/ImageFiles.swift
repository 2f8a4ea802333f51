internal import RegularFile

/// The files of an image: in a folder, or in a tar archive.
enum ImageFiles {
    case folder(String)
    case archive(path: String, TarIndex)

    /// Bytes of a JSON document.
    static let mostDocumentBytes = 4 << 20

    init(_ path: String, isFolder: Bool) throws(ImageProblem) {
        self = isFolder ? .folder(path) : .archive(path: path, try TarIndex(Self.open(path)))
    }

    /// nil where there is no such file.
    func size(of name: String) -> Int? {
        switch self {
        case .folder(let path): (try? RegularFile("\(path)/\(name)"))?.size
        case .archive(_, let index): index.members[name]?.size
        }
    }

    func document(_ name: String) throws(ImageProblem) -> [UInt8] {
        guard let size = size(of: name) else { throw ImageProblem("is broken: it has no \(name)") }
        guard size <= Self.mostDocumentBytes else { throw ImageProblem("is broken: its \(name) has \(size) bytes") }
        do throws(RegularFile.Problem) {
            switch self {
            case .folder(let path): return try RegularFile("\(path)/\(name)").bytes(most: Self.mostDocumentBytes)
            case .archive(let path, let index):
                return try RegularFile(path).bytes(at: index.members[name]?.offset ?? 0, count: size)
            }
        } catch {
            throw ImageProblem("is broken: its \(name) \(error)")
        }
    }

    /// A document that is stored by its digest, which is checked.
    func blob(_ descriptor: ImageDocuments.Descriptor) throws(ImageProblem) -> [UInt8] {
        let name = try Self.name(of: descriptor)
        let bytes = try document(name)
        guard "sha256:" + SHA256.digits(of: bytes) == descriptor.digest else {
            throw ImageProblem("is broken: what it has as \(descriptor.digest) is something else")
        }
        return bytes
    }

    /// Where a blob is.
    static func name(of descriptor: ImageDocuments.Descriptor) throws(ImageProblem) -> String {
        let parts = descriptor.digest.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "sha256", parts[1].count == 64,
            parts[1].allSatisfy({ $0.isHexDigit && !$0.isUppercase })
        else { throw ImageProblem("is broken: '\(descriptor.digest.prefix(80))' is no SHA-256 digest") }
        return "blobs/sha256/\(parts[1])"
    }

    private static func open(_ path: String) throws(ImageProblem) -> RegularFile {
        do throws(RegularFile.Problem) {
            return try RegularFile(path)
        } catch {
            throw ImageProblem("\(error)")
        }
    }
}
