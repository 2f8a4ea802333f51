internal import CLinux
internal import Glibc
internal import SystemPackage

/// A container image as the root of a program.
///
/// The image is put into a private root without any file of the host, and becomes the root there. Only then are the other
/// parts attached in it: wherever symbolic links of the image lead, it is into the image. `/proc` comes last, so that
/// there are no links to the files of this process before.
extension PrivateRoot {
    /// Where the image is until it is the root.
    static let imagePlace = "/.image"

    /// - Parameter parts: folders and files of the private root that the program has
    static func enterImage(with parts: [String], owner: UInt32) throws(LabFailure) {
        let (before, kernel) = (["/sys", "/dev"], ["/proc"])
        var mounts: [Detached] = []
        for path in before + parts + kernel {
            var status = stat()
            guard lstat(path, &status) == 0 else { continue }
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            mounts.append(try Detached(path, at: -1, path, isFolder: isFolder, 0))
        }
        try check(cl_change_root(imagePlace), "the image as root (pivot_root)")
        makeTemporaryFolder(owner: owner)
        nameLocalHost()
        let root = PrivateRoot(place: "", owner: owner)
        for var mount in mounts {
            var status = stat()
            if lstat(mount.path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK {
                // Not over the link, but where it leads in the image.
                guard !(before + kernel).contains(mount.path), let real = realpath(mount.path, nil) else {
                    throw refused("'\(mount.path)' of the image, which is a symbolic link,", ELOOP)
                }
                mount.path = String(cString: real)
                free(real)
            }
            try root.attach(mount)
        }
    }

    /// Images of a single program have none.
    private static func makeTemporaryFolder(owner: UInt32) {
        guard mkdir("/tmp", 0o1777) == 0 else { return }
        chmod("/tmp", 0o1777)
        lchown("/tmp", owner, owner)
    }

    /// Container engines write this file; an image has none, or an empty one.
    private static func nameLocalHost() {
        mkdir("/etc", 0o755)
        let file = cl_open("/etc/hosts", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o644)
        guard file >= 0 else { return }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size == 0 else { return }
        let text = "127.0.0.1 localhost\n::1 localhost\n"
        _ = write(file, text, text.utf8.count)
    }
}
