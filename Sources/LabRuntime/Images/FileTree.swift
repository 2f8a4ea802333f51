internal import CLinux
internal import Glibc

/// Folders with all that is in them.
enum FileTree {
    /// Removes a file or a folder; no symbolic link is followed.
    /// - Returns: 0 or errno; 0 also where there is none
    @discardableResult
    static func remove(_ name: String, in folder: Int32) -> Int32 { remove(Array(name.utf8CString), in: folder) }

    private static func remove(_ name: [CChar], in folder: Int32) -> Int32 {
        if unlinkat(folder, name, 0) == 0 || errno == ENOENT { return 0 }
        // An image may have folders that their owner may not write to.
        fchmodat(folder, name, 0o700, AT_SYMLINK_NOFOLLOW)
        let inner = cl_open_in(folder, name, O_RDONLY | O_DIRECTORY, 0)
        guard inner >= 0 else { return -inner }
        let names = entries(of: inner)
        for name in names {
            let error = remove(name, in: inner)
            if error != 0 {
                close(inner)
                return error
            }
        }
        close(inner)
        return unlinkat(folder, name, AT_REMOVEDIR) == 0 ? 0 : errno
    }

    private static func entries(of folder: Int32) -> [[CChar]] {
        guard let stream = fdopendir(fcntl(folder, F_DUPFD_CLOEXEC, 3)) else { return [] }
        defer { closedir(stream) }
        var names: [[CChar]] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                // Of any bytes; with the zero at its end.
                $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1))
                }
            }
            if name != [46, 0], name != [46, 46, 0] { names.append(name) }
        }
        return names
    }
}
