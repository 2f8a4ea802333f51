import Glibc

/// A folder that is removed, with the files in it, when the last reference goes.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/capture-tests-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != ".", name != ".." { unlink(file(name)) }
            }
            closedir(directory)
        }
        rmdir(path)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    func write(_ bytes: [UInt8], to name: String) -> String {
        let stream = fopen(file(name), "w")!
        fwrite(bytes, 1, bytes.count, stream)
        fclose(stream)
        return file(name)
    }

    func read(_ name: String) -> [UInt8] { Self.read(file(name)) }

    static func read(_ path: String) -> [UInt8] {
        guard let stream = fopen(path, "r") else { return [] }
        defer { fclose(stream) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&part, 1, part.count, stream), count > 0 { bytes += part[0..<count] }
        return bytes
    }
}
