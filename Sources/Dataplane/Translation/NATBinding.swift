import LabTime
public import Wire

/// An address and a port (for an ICMP query: its identifier; 0 for protocols that have none).
@frozen public struct NATEndpoint: Hashable, Sendable, BitwiseCopyable {
    public var address: IPv4Address
    public var port: UInt16

    @inlinable public init(_ address: IPv4Address, _ port: UInt16) {
        self.address = address
        self.port = port
    }
}

extension NATEndpoint: CustomStringConvertible {
    public var description: String { "\(address):\(port)" }
}

/// A mapping: an inside endpoint and the external one that stands for it towards everybody, for one protocol.
///
/// It lives as long as a session (or a pinhole) uses it. Nobody else gets its external endpoint meanwhile.
/// Source: RFC 4787, REQ-1 and REQ-3
public struct NATBinding: BitwiseCopyable, Sendable, Hashable {
    public var `protocol`: IPProtocol
    public var inside: NATEndpoint
    public var external: NATEndpoint
    /// Which of the translator's addresses `external` is on; -1 where its pool has that endpoint no longer. Such a mapping
    /// serves the sessions that it has, and takes no new ones.
    var place: Int32
    /// The pool that it is of, or was.
    var pool: Int32
    /// Sessions and pinholes that use it.
    public internal(set) var users: UInt32

    /// Whether its pool is gone, or has that endpoint no longer.
    public var isRetired: Bool { place < 0 }
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
extension FiveTuple {
    /// Of the inside endpoint, one for each pool.
    static func natInside(_ endpoint: NATEndpoint, _ proto: IPProtocol, pool: Int) -> FiveTuple {
        FiveTuple(
            source: endpoint.address, destination: .any, sourcePort: endpoint.port,
            destinationPort: UInt16(truncatingIfNeeded: pool), protocol: proto)
    }

    static func natExternal(_ endpoint: NATEndpoint, _ proto: IPProtocol) -> FiveTuple {
        FiveTuple(
            source: endpoint.address, destination: IPv4Address(rawValue: .max), sourcePort: endpoint.port,
            destinationPort: 0, protocol: proto)
    }

    /// Of an external endpoint and an address that the inside has sent to through it.
    static func natContact(_ external: NATEndpoint, _ remote: IPv4Address, _ proto: IPProtocol) -> FiveTuple {
        FiveTuple(
            source: external.address, destination: remote, sourcePort: external.port, destinationPort: 0,
            protocol: proto)
    }
}

extension Instant {
    /// Later than any lab lives: what ends by its users, not by time.
    static var never: Instant { Instant(nanoseconds: .max) }
}
