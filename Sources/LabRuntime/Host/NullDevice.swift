internal import CLinux
internal import Glibc
internal import SystemPackage

/// `/dev/null`, the standard input of a lab's processes.
enum NullDevice {
    static let path = "/dev/null"

    /// A descriptor that the caller closes.
    /// - Throws: that the host lacks it, or has something else in its place
    static func open(_ flags: Int32) throws(LabFailure) -> Int32 {
        let descriptor = cl_open(path, flags, 0)
        guard descriptor >= 0 else { throw problem("cannot be opened: \(Errno(rawValue: -descriptor))").failure }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFCHR else {
            close(descriptor)
            throw problem("is not a device").failure
        }
        return descriptor
    }

    static func problem(_ what: String) -> HostProblem {
        HostProblem(
            problem: "\(path) \(what)",
            remedy:
                "as root: rm -f \(path); mknod -m 666 \(path) c 1 3; in a container, start it with its usual devices")
    }
}
