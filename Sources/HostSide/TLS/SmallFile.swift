internal import Glibc

/// A file that a lab names, read whole: a regular one, of bounded size. A FIFO would wait for a writer, and a device may
/// have no end.
enum SmallFile {
    /// Of a certificate chain or a key: a thousand times what they need.
    static let maximumSize = 1 << 20

    /// - Throws: why it cannot be read, to follow its name: `cannot be read: there is no such file`
    static func contents(_ path: String) throws(SmallFileError) -> [UInt8] {
        // Without waiting: for a FIFO, or for a device that has nobody at its other end.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let reason = errno == ENOENT ? "there is no such file" : String(cString: strerror(errno)).lowercased()
            throw SmallFileError(reason: "cannot be read: \(reason)")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SmallFileError(reason: "is not a regular file; a certificate or key is a file of at most 1 MiB")
        }
        // One byte more than allowed shows that there is more.
        let capacity = maximumSize + 1
        var failed: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            while count < capacity {
                let got = read(descriptor, buffer.baseAddress! + count, capacity - count)
                if got < 0, errno == EINTR { continue }
                if got < 0 { failed = errno }
                if got <= 0 { break }
                count += got
            }
        }
        if failed != 0 {
            throw SmallFileError(reason: "cannot be read: \(String(cString: strerror(failed)).lowercased())")
        }
        if bytes.count == capacity {
            throw SmallFileError(reason: "is larger than 1 MiB; a certificate or key is a file of at most 1 MiB")
        }
        return bytes
    }
}

struct SmallFileError: Error, Hashable {
    var reason: String
}
