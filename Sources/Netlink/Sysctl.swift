internal import CLinux
internal import Glibc
public import SystemPackage

/// Settings of the calling thread's network namespace under /proc/sys.
public enum Sysctl {
    /// Equals `sysctl -w PATH=VALUE`
    /// - Parameter path: with slashes, as in `net/ipv4/conf/all/rp_filter`; names of interfaces may hold dots
    public static func set(_ path: String, _ value: String) throws(SysctlError) {
        let descriptor = try open(path, O_WRONLY, wanted: value)
        defer { close(descriptor) }
        let bytes = Array(value.utf8)
        // The kernel takes one value with one write.
        guard write(descriptor, bytes, bytes.count) == bytes.count else {
            throw SysctlError(path: path, value: value, errno: Errno(rawValue: Glibc.errno))
        }
    }

    /// Equals `sysctl -w PATH=VALUE`
    public static func set(_ path: String, _ value: Int) throws(SysctlError) { try set(path, String(value)) }

    /// The value without its final line break.
    ///
    /// Equals `sysctl -n PATH`
    public static func get(_ path: String) throws(SysctlError) -> String {
        let descriptor = try open(path, O_RDONLY, wanted: nil)
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw SysctlError(path: path, value: nil, errno: Errno(rawValue: Glibc.errno)) }
        return String(decoding: bytes[0..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    private static func open(_ path: String, _ flags: Int32, wanted value: String?) throws(SysctlError) -> Int32 {
        let descriptor = path.split(separator: "/").contains("..") ? -EINVAL : cl_open("/proc/sys/" + path, flags, 0)
        guard descriptor >= 0 else { throw SysctlError(path: path, value: value, errno: Errno(rawValue: -descriptor)) }
        return descriptor
    }
}

/// A setting that could not be read or written.
public struct SysctlError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Below /proc/sys.
    public var path: String
    /// What was to be written; nil when reading.
    public var value: String?
    public var errno: Errno

    public var description: String {
        let what = value.map { "set /proc/sys/\(path) to '\($0)'" } ?? "read /proc/sys/\(path)"
        let remedy =
            switch errno {
            case .noSuchFileOrDirectory: "; this kernel has no such setting, or the interface is not in this namespace"
            case .invalidArgument: "; the kernel does not allow this value"
            case .readOnlyFileSystem: "; /proc/sys is mounted read-only, as containers do"
            case .permissionDenied, .notPermitted:
                "; the network namespace belongs to a user namespace in which this process has no CAP_NET_ADMIN"
            default: ""
            }
        return "cannot \(what): \(errno.description) (errno \(errno.rawValue))\(remedy)"
    }
}
