public import LabTime
public import Wire

/// An address and a port (for an ICMP query: its identifier; 0 for protocols that have none).
@frozen public struct NATEndpoint<Family: AddressFamily>: Hashable, Sendable, BitwiseCopyable {
    public var address: Family.Address
    public var port: UInt16

    @inlinable public init(_ address: Family.Address, _ port: UInt16) {
        self.address = address
        self.port = port
    }
}

extension NATEndpoint: CustomStringConvertible {
    public var description: String { address.erased.endpoint(port: port) }
}

/// A mapping: an inside endpoint and the external one that stands for it towards everybody, for one protocol.
///
/// It lives as long as a session (or a pinhole) uses it. Nobody else gets its external endpoint meanwhile.
/// Source: RFC 4787, REQ-1 and REQ-3
public struct NATBinding<Family: AddressFamily>: BitwiseCopyable, Sendable, Hashable {
    public var `protocol`: IPProtocol
    public var inside: NATEndpoint<Family>
    public var external: NATEndpoint<Family>
    /// Which of the translator's addresses `external` is on; -1 where its pool has that endpoint no longer. Such a mapping
    /// serves the sessions that it has, and takes no new ones.
    @usableFromInline var place: Int32
    /// The pool that it is of, or was.
    @usableFromInline var pool: Int32
    /// Sessions and pinholes that use it.
    @usableFromInline package internal(set) var users: UInt32 = 0

    @inlinable
    init(
        protocol: IPProtocol, inside: NATEndpoint<Family>, external: NATEndpoint<Family>, place: Int32, pool: Int32
    ) {
        self.protocol = `protocol`
        self.inside = inside
        self.external = external
        self.place = place
        self.pool = pool
    }

    /// Whether its pool is gone, or has that endpoint no longer.
    @inlinable public var isRetired: Bool { place < 0 }
}

/// The place of a binding in its translator; `none` where a session has none.
@frozen public struct NATBindingIndex: Hashable, Sendable, BitwiseCopyable {
    public var rawValue: UInt32

    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable public static var none: NATBindingIndex { NATBindingIndex(rawValue: .max) }

    @inlinable public var isNone: Bool { rawValue == .max }
    @inlinable var flow: FlowIndex { FlowIndex(rawValue: rawValue) }
}

// The keys under which the translator's table finds a binding. No real packet has them: its destination is no address
// that anybody routes to.
extension FlowKey {
    /// Of the inside endpoint, one for each pool.
    @inlinable
    static func natInside(_ endpoint: NATEndpoint<Family>, _ proto: IPProtocol, pool: Int) -> FlowKey<Family> {
        FlowKey(
            source: endpoint.address, destination: .any, sourcePort: endpoint.port,
            destinationPort: UInt16(truncatingIfNeeded: pool), protocol: proto)
    }

    @inlinable
    static func natExternal(_ endpoint: NATEndpoint<Family>, _ proto: IPProtocol) -> FlowKey<Family> {
        FlowKey(
            source: endpoint.address, destination: .allOnes, sourcePort: endpoint.port,
            destinationPort: 0, protocol: proto)
    }

    /// Of an external endpoint and an address that the inside has sent to through it.
    @inlinable
    static func natContact(_ external: NATEndpoint<Family>, _ remote: Family.Address, _ proto: IPProtocol) -> FlowKey<
        Family
    > {
        FlowKey(
            source: external.address, destination: remote, sourcePort: external.port, destinationPort: 0,
            protocol: proto)
    }
}

extension Instant {
    /// Later than any lab lives: what ends by its users, not by time.
    @inlinable static var never: Instant { Instant(nanoseconds: .max) }
}
