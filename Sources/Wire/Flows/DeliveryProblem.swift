/// Why a packet goes no further, in words of both families.
@frozen
public enum DeliveryProblem: Hashable, Sendable {
    case noRoute
    case hostUnreachable
    case portUnreachable
    /// By a rule, or for want of something that the rules need.
    case prohibited
    case timeExceeded
    /// - mtu: bytes of the largest IP packet that would have passed
    case packetTooBig(mtu: Int)
}
