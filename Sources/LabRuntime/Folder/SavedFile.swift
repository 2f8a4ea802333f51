internal import CLinux
internal import Glibc
internal import SystemPackage

/// Files of a saved run, which anybody may have changed: read only where they are regular files, and never more than a
/// stated number of bytes.
public enum SavedFile {
    /// Bytes of a file that is read into memory: events, figures, logs. A run of hours has some tens of millions.
    public static let mostBytes = 1 << 30

    /// - Throws: `LabFailure` that names the file and what it is instead
    public static func bytes(of path: String, most: Int = mostBytes) throws(LabFailure) -> [UInt8] {
        // Without O_NONBLOCK a FIFO would wait for somebody who writes.
        let descriptor = cl_open(path, O_RDONLY | O_NONBLOCK, 0)
        guard descriptor >= 0 else {
            throw LabFailure(
                .lab, "'\(path)' cannot be read: \(Errno(rawValue: -descriptor))",
                remedy: "a run that was ended early has no figures to judge; its captures are still readable")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .damaged(path, "it is no regular file")
        }
        guard status.st_size <= most else { throw tooLong(path, most) }
        var bytes: [UInt8] = []
        // The size says nothing where the file grows, or where the kernel makes it up.
        bytes.reserveCapacity(Int(status.st_size))
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                throw LabFailure(.lab, "'\(path)' cannot be read: \(Errno(rawValue: errno))")
            }
            if count == 0 { return bytes }
            guard bytes.count + count <= most else { throw tooLong(path, most) }
            bytes += buffer[..<count]
        }
    }

    private static func tooLong(_ path: String, _ most: Int) -> LabFailure {
        .damaged(path, "it has more than \(most >> 20) MiB")
    }

    /// Whether a path leads to a regular file; nothing is opened.
    public static func isRegular(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
}

extension LabFailure {
    /// A file of a saved run that says what no run writes: its variant is not decided.
    static func damaged(_ path: String, _ what: String) -> LabFailure {
        LabFailure(.undecided, "'\(path)' is damaged, or of another version: \(what)")
    }
}
