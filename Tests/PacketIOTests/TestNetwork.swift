import CLinux
import Glibc
import Netlink
import PacketIO

/// A box's wire namespace and, outside it, the far ends of its links and of its host sides.
///
///     outside namespace          box's wire namespace
///       left  ───────────────────── inside     port 0
///       kernel0 ─────────────────── host0
///       right ───────────────────── outside    port 1
///       kernel1 ─────────────────── host1
struct TestNetwork: ~Copyable {
    static let ports = PortInterfaces.all(["inside", "outside"])
    private static let pairs = [
        (far: "left", near: "inside"), (far: "kernel0", near: "host0"),
        (far: "right", near: "outside"), (far: "kernel1", near: "host1"),
    ]

    private let outside: NetworkNamespace
    private var netlink: NetlinkSocket

    /// The calling thread is in the box's namespace afterwards.
    init(mtu: Int = 1500) throws {
        let outside = try Self.newNamespace()
        var far = try NetlinkSocket()
        _ = try Self.newNamespace()
        var netlink = try NetlinkSocket()
        for pair in Self.pairs {
            try netlink.perform([
                .createVethPair(
                    VethEnd(pair.near, mtu: mtu), VethEnd(pair.far, mtu: mtu, namespace: outside.descriptor)),
                .setUp(.name(pair.near)),
            ])
            try far.perform(.setUp(.name(pair.far)))
        }
        self.outside = outside
        self.netlink = netlink
    }

    /// A port outside, on the far end of a link or of a host side.
    func port(_ name: String) throws -> TestPort { try outside.perform { try TestPort(name) } }

    mutating func set(_ name: String, up isUp: Bool) throws {
        try netlink.perform(isUp ? .setUp(.name(name)) : .setDown(.name(name)))
    }

    private static func newNamespace() throws -> NetworkNamespace {
        let namespace = try NetworkNamespace.createAndEnter()
        // The kernel's own IPv6, where it has any, would talk on every link that comes up.
        for scope in ["all", "default"] { try? Sysctl.set("net/ipv6/conf/\(scope)/disable_ipv6", 1) }
        return namespace
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Runs a test's body on a thread of its own, which may change its namespaces.
func onOwnThread(_ body: @escaping @Sendable () throws -> Void) async throws {
    let thread = OwnThread()
    defer { thread.end() }
    try await withTaskExecutorPreference(thread) { try await run(body) }
}

@concurrent private func run(_ body: @Sendable () throws -> Void) async throws { try body() }

/// Whether this process may have network namespaces.
enum NetworkNamespaces {
    static let areAvailable: Bool = {
        var thread = pthread_t()
        guard
            pthread_create(
                &thread, nil, { _ in cl_unshare(cl_new_net) == 0 ? UnsafeMutableRawPointer(bitPattern: 1) : nil }, nil)
                == 0
        else { return false }
        var result: UnsafeMutableRawPointer?
        pthread_join(thread, &result)
        return result != nil
    }()
    static let absence = "this process may not make network namespaces: run the tests as root or in a user namespace"
}
