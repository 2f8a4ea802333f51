internal import SystemPackage
internal import TrafficModel
internal import Wire

/// Deals out source ports one after the other, for all traffic programs of a node.
///
/// The kernel's own choice is random and soon repeats itself. A new flow must not get the port of an old one while a
/// box on the way may still know that old flow: the lab would then measure the old flow's fate. Here a port comes
/// again only after all 28,232 ports from 32768 to 60999 (Linux's own range) had their turn.
public final class SourcePorts {
    static let range: ClosedRange<UInt16> = 32768...60999
    /// Ports in a row that may be taken by somebody else before a probe is given up.
    private static let mostTries = 256

    private var next: UInt16

    /// - Parameter seed: where in the range to begin.
    public init(seed: UInt64 = 0) {
        next = Self.range.lowerBound + UInt16(seed % UInt64(Self.range.count))
    }

    /// Binds the socket to the next port that is free.
    func bind(_ socket: Socket) throws(Errno) {
        let any: IPAddress = socket.family == .ipv4 ? .ipv4(.any) : .ipv6(.any)
        for _ in 1..<Self.mostTries {
            do throws(Errno) {
                return try socket.bind(Endpoint(address: any, port: take()))
            } catch .addressInUse {
                continue
            }
        }
        try socket.bind(Endpoint(address: any, port: take()))
    }

    /// The next one, also as an ICMP echo's identifier.
    func take() -> UInt16 {
        defer { next = next == Self.range.upperBound ? Self.range.lowerBound : next + 1 }
        return next
    }
}
