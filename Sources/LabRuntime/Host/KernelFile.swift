internal import CLinux
internal import Glibc

/// Files that the kernel generates when they are read: their size is meaningless, and one read returns only a part.
enum KernelFile {
    /// The whole text; nil where it cannot be opened or read.
    static func contents(_ path: String) -> String? {
        let descriptor = cl_open(path, O_RDONLY, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}
