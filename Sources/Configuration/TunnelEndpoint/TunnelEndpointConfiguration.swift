public import Dataplane
public import Wire

/// Where a member's tunnels end: between its links and its own kernel.
public struct TunnelEndpointConfiguration: Hashable, Sendable, Codable {
    /// The interface that the member's kernel sees packets come out of the tunnel by.
    public static let interfaceName = "tunnel"

    public var name: String
    /// The member's own interfaces, each with a host side.
    public var ports: [PortConfiguration]
    public var encapsulation: Encapsulation
    /// What the kernel's `tunnel` interface is called on the link.
    public var mac: MACAddress
    /// The member's addresses, of the encapsulation's family, for which outer packets are.
    public var locals: [IPAddress]
    /// Balancers, whose packets alone are taken.
    public var remotes: [IPAddress]
    /// Addresses of services, for which inner packets are.
    public var destinations: [IPAddress]
    /// Whether SYN-ACKs of those services announce no larger segment than fits the tunnel.
    public var clampsSegmentSize: Bool

    public init(
        name: String, ports: [PortConfiguration], encapsulation: Encapsulation, mac: MACAddress, locals: [IPAddress],
        remotes: [IPAddress], destinations: [IPAddress], clampsSegmentSize: Bool
    ) {
        self.name = name
        self.ports = ports
        self.encapsulation = encapsulation
        self.mac = mac
        self.locals = locals
        self.remotes = remotes
        self.destinations = destinations
        self.clampsSegmentSize = clampsSegmentSize
    }
}
