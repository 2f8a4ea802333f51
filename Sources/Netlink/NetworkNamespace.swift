internal import CLinux
internal import Glibc
internal import SystemPackage

/// A network namespace that exists as long as this descriptor, or a process or a socket within it: it has no name and
/// no file, so nothing of it is left when its holders have ended.
public struct NetworkNamespace: ~Copyable, Sendable {
    /// To pass on, to enter, or to name the namespace in requests.
    public let descriptor: Int32

    /// Takes over a descriptor, which is closed with this value.
    public init(takingOver descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// The namespace of the calling thread.
    public static func current() throws(NetlinkError) -> NetworkNamespace {
        let descriptor = cl_open("/proc/thread-self/ns/net", O_RDONLY, 0)
        guard descriptor >= 0 else {
            throw NetlinkError(
                .cannotOpen, verb: "open the network namespace of this thread (/proc/thread-self/ns/net)",
                errno: Errno(rawValue: -descriptor))
        }
        return NetworkNamespace(takingOver: descriptor)
    }

    /// Makes a namespace; the calling thread is back in its own when this returns.
    public static func create() throws(NetlinkError) -> NetworkNamespace {
        let before = try current()
        let created = try createAndEnter()
        try before.enter()
        return created
    }

    /// Makes a namespace and leaves the calling thread in it. Cheapest where many are made in a row.
    public static func createAndEnter() throws(NetlinkError) -> NetworkNamespace {
        let code = cl_unshare(cl_new_net)
        guard code == 0 else {
            throw NetlinkError(.cannotOpen, verb: "create a network namespace", errno: Errno(rawValue: code))
        }
        return try current()
    }

    /// Puts the calling thread into the namespace; other threads stay where they are.
    public borrowing func enter() throws(NetlinkError) { try Self.enter(descriptor) }

    /// Puts the calling thread into the namespace of a descriptor.
    public static func enter(_ descriptor: Int32) throws(NetlinkError) {
        let code = cl_setns(descriptor, cl_new_net)
        guard code == 0 else {
            throw NetlinkError(.cannotOpen, verb: "enter a network namespace", errno: Errno(rawValue: code))
        }
    }

    /// Runs `body` within the namespace; the calling thread is back in its own when this returns or throws.
    public borrowing func perform<Result>(_ body: () throws -> Result) throws -> Result {
        let before = try Self.current()
        try enter()
        let result: Result
        do { result = try body() } catch {
            try before.enter()
            throw error
        }
        try before.enter()
        return result
    }

    /// A number that two descriptors share exactly where they mean the same namespace.
    public var identifier: UInt64 {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? UInt64(status.st_ino) : 0
    }

    /// Gives the descriptor away; the caller closes it.
    public consuming func release() -> Int32 {
        let descriptor = self.descriptor
        discard self
        return descriptor
    }
}
