import CLinux
import Glibc
import SystemPackage

/// A file system of a few pages, in a mount namespace of the calling thread's own.
enum SmallDisk {
    static func mount(at path: String, bytes: Int) throws {
        var code = cl_unshare(cl_new_mount)
        if code == 0 { code = cl_make_mounts_private() }
        if code == 0, Glibc.mount("tmpfs", path, "tmpfs", 0, "size=\(bytes)") != 0 { code = errno }
        guard code == 0 else { throw Errno(rawValue: code) }
    }

    static func unmount(_ path: String) { _ = umount2(path, 2 /* MNT_DETACH */) }
}
