internal import CLinux
internal import Glibc
internal import SystemPackage

/// Makes and opens files below a run's folder, part by part and by descriptor: no symbolic link is followed, and
/// nothing is written into files that existed before.
enum RunFiles {
    /// Opens a folder for what is done in it.
    static func openFolder(_ path: String) throws(LabFailure) -> Int32 {
        let folder = cl_open(path, O_RDONLY | O_DIRECTORY, 0)
        guard folder >= 0 else { throw failure(path, -folder) }
        return folder
    }

    /// Makes folders inside each other, where they are not there, and opens the innermost.
    static func makeFolders(_ names: [String], below path: String) throws(LabFailure) -> Int32 {
        var folder = try openFolder(path)
        var made = path
        for name in names {
            made += "/\(name)"
            let outer = folder
            defer { close(outer) }
            if mkdirat(outer, name, 0o755) != 0, errno != EEXIST { throw failure(made, errno) }
            let inner = cl_open_in(outer, name, O_RDONLY | O_DIRECTORY, 0)
            guard inner >= 0 else { throw failure(made, -inner) }
            folder = inner
        }
        return folder
    }

    /// Makes a new file, to be read and added to; one of that name that was there is removed, not emptied.
    static func create(_ path: String) throws(LabFailure) -> Int32 {
        let (folder, name) = try split(path)
        defer { close(folder) }
        return try create(name, in: folder, path: path)
    }

    /// Opens a file to which lines are added, and which may be read; it is made where there is none.
    static func openToAppend(_ path: String) throws(LabFailure) -> Int32 {
        let (folder, name) = try split(path)
        defer { close(folder) }
        let flags = O_RDWR | O_APPEND
        var file = cl_open_in(folder, name, flags | O_CREAT | O_EXCL, 0o644)
        // Of a node that is powered on again. A FIFO must not hold this process up.
        if file == -EEXIST { file = cl_open_in(folder, name, flags | O_NONBLOCK, 0) }
        guard file >= 0 else { throw failure(path, -file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink == 1 else {
            close(file)
            throw LabFailure(.lab, "'\(path)' is not a file of the run")
        }
        _ = fcntl(file, F_SETFL, flags)
        return file
    }

    /// Writes a whole file; what was there before is replaced only when the new one is complete.
    /// - Throws: `LabFailure` that names the file and the kernel's reason
    static func write(_ bytes: [UInt8], to path: String) throws(LabFailure) {
        let (folder, name) = try split(path)
        defer { close(folder) }
        try write(bytes, to: name, in: folder, path: path)
    }

    /// - Parameters:
    ///   - path: for messages
    ///   - owner: user and group of the file; nil for those of this process
    static func write(
        _ bytes: [UInt8], to name: String, in folder: Int32, path: String, owner: UInt32? = nil
    ) throws(LabFailure) {
        let new = name + ".new"
        let file = try create(new, in: folder, path: path)
        var error = add(bytes, to: file)
        if error == 0, let owner, fchown(file, owner, owner) != 0 { error = errno }
        close(file)
        if error == 0, renameat(folder, new, folder, name) != 0 { error = errno }
        guard error != 0 else { return }
        unlinkat(folder, new, 0)
        throw failure(path, error)
    }

    /// The target of a symbolic link; nil where the path is none.
    static func target(ofLink path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
            let count = readlink(path, buffer.baseAddress!, 4095)
            return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
        }
    }

    private static func create(_ name: String, in folder: Int32, path: String) throws(LabFailure) -> Int32 {
        if unlinkat(folder, name, 0) != 0, errno != ENOENT { throw failure(path, errno) }
        let file = cl_open_in(folder, name, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0o644)
        guard file >= 0 else { throw failure(path, -file) }
        return file
    }

    /// - Returns: 0 or errno
    private static func add(_ bytes: [UInt8], to file: Int32) -> Int32 {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + offset, $0.count - offset) }
            if count < 0, errno == EINTR { continue }
            // A disk that fills up takes a part first, and reports the error only at the next call.
            guard count > 0 else { return count < 0 ? errno : EIO }
            offset += count
        }
        return 0
    }

    private static func split(_ path: String) throws(LabFailure) -> (folder: Int32, name: String) {
        let slash = path.lastIndex(of: "/")
        let above = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        let folder = cl_open(above, O_RDONLY | O_DIRECTORY, 0)
        guard folder >= 0 else { throw failure(path, -folder) }
        return (folder, name)
    }

    private static func failure(_ path: String, _ error: Int32) -> LabFailure {
        LabFailure(.lab, "'\(path)' cannot be written: \(Errno(rawValue: error))")
    }
}
