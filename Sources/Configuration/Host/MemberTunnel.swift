public import Wire

/// The end of a host's tunnels, and the interface by which its kernel sees what comes out.
public struct MemberTunnel: Hashable, Sendable, Codable {
    public var endpoint: TunnelEndpointConfiguration
    /// What the kernel's own tunnel is bound to.
    public var local: IPAddress
    /// Of the interface `tunnel`; nil where it has none.
    public var address: IPAddress?
    /// Whether it is a tunnel device of the kernel.
    public var isKernels: Bool

    public init(endpoint: TunnelEndpointConfiguration, local: IPAddress, address: IPAddress? = nil, isKernels: Bool) {
        self.endpoint = endpoint
        self.local = local
        self.address = address
        self.isKernels = isKernels
    }

    /// The interface's name in the node.
    public static var interface: String { TunnelEndpointConfiguration.interfaceName }
}
