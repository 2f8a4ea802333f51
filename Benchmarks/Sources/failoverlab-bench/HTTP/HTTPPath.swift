internal import Glibc
internal import Netlink
internal import Wire

/// Client, proxy and member in three namespaces, and the programs in them.
///
///     client 10.20.1.2 ── 10.20.1.1 proxy 10.20.2.1 ── 10.20.2.2 member
struct HTTPPath: ~Copyable {
    static let clientAddress = "10.20.1.2"
    static let proxyAddress = "10.20.1.1"
    static let memberAddress = "10.20.2.2"

    let client: NetworkNamespace
    let proxy: NetworkNamespace
    let member: NetworkNamespace

    /// The calling thread is in the member's namespace afterwards.
    init() throws {
        let client = try Self.namespace()
        var atClient = try NetlinkSocket()
        // Three crowds of ten thousand within the minute of TIME_WAIT are more than the usual 28,000 ports.
        try Sysctl.set("net/ipv4/ip_local_port_range", "1024 65535")
        let proxy = try Self.namespace()
        var atProxy = try NetlinkSocket()
        // nginx without upstream keepalive closes first, and needs its ports again before the minute of TIME_WAIT is over.
        try Sysctl.set("net/ipv4/tcp_tw_reuse", 1)
        let member = try Self.namespace()
        var atMember = try NetlinkSocket()
        try atProxy.perform([
            .createVethPair(VethEnd("outside"), VethEnd("client", namespace: client.descriptor)),
            .createVethPair(VethEnd("inside"), VethEnd("member", namespace: member.descriptor)),
            .addAddress(IPv4InterfaceAddress("10.20.1.1/24")!, to: "outside"),
            .addAddress(IPv4InterfaceAddress("10.20.2.1/24")!, to: "inside"),
            .setUp("outside"), .setUp("inside"),
        ])
        try atClient.perform([.addAddress(IPv4InterfaceAddress("10.20.1.2/24")!, to: "client"), .setUp("client")])
        try atMember.perform([.addAddress(IPv4InterfaceAddress("10.20.2.2/24")!, to: "member"), .setUp("member")])
        self.client = client
        self.proxy = proxy
        self.member = member
    }

    private static func namespace() throws -> NetworkNamespace {
        let namespace = try NetworkNamespace.createAndEnter()
        for scope in ["all", "default"] { try? Sysctl.set("net/ipv6/conf/\(scope)/disable_ipv6", 1) }
        try? Sysctl.set("net/core/somaxconn", 4096)
        return namespace
    }
}
