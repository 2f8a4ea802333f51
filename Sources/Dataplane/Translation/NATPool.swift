public import Wire

/// A pool of IPv4.
public typealias NATPool = IPNATPool<IPv4>
/// A rule of IPv4.
public typealias NATRule = IPNATRule<IPv4>

/// External addresses and ports that flows are translated to.
public struct IPNATPool<Family: AddressFamily>: Hashable, Sendable, Codable {
    public typealias Filtering = NATFiltering
    public typealias Pooling = NATPooling

    public var name: String
    public var addresses: [Family.Address]
    /// For TCP and UDP, and as identifiers of ICMP queries.
    public var ports: ClosedRange<UInt16>
    public var filtering: Filtering
    public var pooling: Pooling

    public init(
        name: String, addresses: [Family.Address], ports: ClosedRange<UInt16> = Self.everyPort,
        filtering: Filtering = .endpointIndependent, pooling: Pooling = .paired
    ) {
        self.name = name
        self.addresses = addresses
        self.ports = ports
        self.filtering = filtering
        self.pooling = pooling
    }

    /// Where nothing else uses the address.
    public static var everyPort: ClosedRange<UInt16> { 1...65535 }
    /// Where the box's own kernel uses the address too: its services are below, its own connections above
    /// (`net.ipv4.ip_local_port_range` begins at 32768).
    public static var besideHost: ClosedRange<UInt16> { 1024...32767 }
}

/// Which packets from outside a mapping lets in. Source: RFC 4787, 5
public enum NATFiltering: String, Hashable, Sendable, Codable, CaseIterable {
    /// From anybody.
    case endpointIndependent = "endpoint-independent"
    /// From every address that the inside has sent to through the mapping, whatever its port.
    case addressDependent = "address-dependent"
    /// From the addresses and ports that the inside has sent to.
    case addressAndPortDependent = "address-and-port-dependent"
}

/// Which of the pool's addresses an inside address gets. Source: RFC 4787, 4.1
public enum NATPooling: String, Hashable, Sendable, Codable, CaseIterable {
    /// Always the same one, which its number decides; when that one's ports are exhausted, none.
    case paired
    /// That one first, then the others.
    case arbitrary
}

/// Which sessions are translated, and from which pool; the first rule that matches decides, and where none does the
/// session keeps its addresses. Asked of a session's first packet as it arrives.
public struct IPNATRule<Family: AddressFamily>: Hashable, Sendable, Codable {
    /// What pushes call it; several in a row of one name, one for each source and destination, are one rule to people.
    public var name: String
    public var source: Family.Address.Network
    public var destination: Family.Address.Network
    /// nil matches every protocol.
    public var `protocol`: IPProtocol?
    public var destinationPorts: ClosedRange<UInt16>
    /// nil: not translated.
    public var pool: String?

    public init(
        name: String = "", source: Family.Address.Network, destination: Family.Address.Network = .any,
        protocol: IPProtocol? = nil,
        destinationPorts: ClosedRange<UInt16> = 0...65535, pool: String?
    ) {
        self.name = name
        self.source = source
        self.destination = destination
        self.protocol = `protocol`
        self.destinationPorts = destinationPorts
        self.pool = pool
    }

    @inlinable
    public func matches(_ flow: FlowKey<Family>) -> Bool {
        (`protocol` ?? flow.protocol) == flow.protocol && source.contains(flow.source)
            && destination.contains(flow.destination) && destinationPorts.contains(flow.destinationPort)
    }
}

/// Which ports a box grants by itself.
///
/// A box that dies may have granted a port that its peer was never told of, and two boxes that do not hear each other
/// both grant. So each of a pair grants from its half only, told apart by bit 1 of the port: no loss and no partition
/// makes two boxes give one port to two, and bit 0, the parity, stays free to choose.
public enum NATShare: String, Hashable, Sendable, Codable {
    /// The box stands alone.
    case all
    /// Ports with bit 1 clear: 1024, 1025, 1028, 1029 …
    case first
    /// Ports with bit 1 set: 1026, 1027, 1030, 1031 …
    case second

    public var pattern: PortPattern {
        switch self {
        case .all: .all
        case .first: PortPattern(bits: 0x3333_3333_3333_3333)
        case .second: PortPattern(bits: 0xcccc_cccc_cccc_cccc)
        }
    }
}
