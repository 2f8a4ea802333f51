internal import Glibc

/// A file that somebody else may have put there, read only where it is a regular one, and never more of it than a stated
/// number of bytes: a FIFO would wait for a writer, and a device may have no end.
public struct RegularFile: ~Copyable {
    public enum Problem: Error, Hashable, Sendable {
        /// - Parameter code: errno
        case unreadable(code: Int32)
        case notRegular
        /// It has more bytes than `most`.
        case tooLarge(most: Int)
    }

    private let descriptor: Int32

    public init(_ path: String) throws(Problem) {
        // Without waiting: for a FIFO, or for a device that has nobody at its other end.
        let opened = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard opened >= 0 else { throw .unreadable(code: errno) }
        var status = stat()
        // The name may lead elsewhere than a moment ago: what counts is what was opened.
        guard fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(opened)
            throw .notRegular
        }
        descriptor = opened
    }

    deinit { close(descriptor) }

    /// Visits its bytes in pieces, from the first to the last.
    /// - Parameter body: returns false to stop
    public func visit(_ body: (UnsafeRawBufferPointer) -> Bool) throws(Problem) {
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 19, alignment: 16)
        defer { piece.deallocate() }
        while true {
            let count = read(descriptor, piece.baseAddress!, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(code: errno) }
            guard count > 0, body(UnsafeRawBufferPointer(rebasing: piece[..<count])) else { return }
        }
    }

    /// Its size in bytes.
    package var size: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Some of it, fewer where it ends before.
    package func bytes(at offset: Int, count: Int) throws(Problem) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let part = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress! + done, count - done, off_t(offset + done))
            }
            if part < 0 && errno == EINTR { continue }
            guard part >= 0 else { throw .unreadable(code: errno) }
            if part == 0 { break }
            done += part
        }
        return Array(bytes.prefix(done))
    }

    /// All of it.
    public func bytes(most: Int) throws(Problem) -> [UInt8] {
        var status = stat()
        // Its size is a hint: the file may grow, or the kernel makes it up.
        let size = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
        guard size <= most else { throw .tooLarge(most: most) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        var isTooLarge = false
        try visit { piece in
            isTooLarge = bytes.count + piece.count > most
            if !isTooLarge { bytes.append(contentsOf: piece) }
            return !isTooLarge
        }
        guard !isTooLarge else { throw .tooLarge(most: most) }
        return bytes
    }
}

extension RegularFile.Problem: CustomStringConvertible {
    /// Follows the file's name: `cannot be read: there is no such file`
    public var description: String {
        switch self {
        case .unreadable(ENOENT): "cannot be read: there is no such file"
        case .unreadable(let code): "cannot be read: \(String(cString: strerror(code)).lowercased())"
        case .notRegular: "is not a regular file"
        case .tooLarge(let most): "is larger than \(most >> 20) MiB"
        }
    }
}
