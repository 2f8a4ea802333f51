public import Wire

/// A rule for packets that would open a session; the first that matches decides. Packets of a session that exists
/// are never asked again.
public struct FilterRule: Hashable, Sendable {
    public enum Action: String, Hashable, Sendable {
        case allow, deny
    }

    public var name: String
    public var action: Action
    /// nil matches every port.
    public var ingress: PortIndex?
    public var source: IPv4Network
    public var destination: IPv4Network
    /// nil matches every protocol.
    public var `protocol`: IPProtocol?
    public var destinationPorts: ClosedRange<UInt16>

    public init(
        name: String, action: Action, ingress: PortIndex? = nil, source: IPv4Network = .any,
        destination: IPv4Network = .any, protocol: IPProtocol? = nil, destinationPorts: ClosedRange<UInt16> = 0...65535
    ) {
        self.name = name
        self.action = action
        self.ingress = ingress
        self.source = source
        self.destination = destination
        self.protocol = `protocol`
        self.destinationPorts = destinationPorts
    }

    public func matches(_ flow: FiveTuple, from port: PortIndex) -> Bool {
        (ingress ?? port) == port && (`protocol` ?? flow.protocol) == flow.protocol && source.contains(flow.source)
            && destination.contains(flow.destination) && destinationPorts.contains(flow.destinationPort)
    }
}
