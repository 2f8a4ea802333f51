/// `eth.dst: 02:…` — a typed field of a frame and what its value must be.
public struct FieldCheck: Hashable, Sendable, Codable {
    public enum Condition: Hashable, Sendable, Codable {
        case equals(String)
        case isNot(String)
        case isOneOf([String])
        case compares(Comparison<Int>)
    }

    /// A name of `FrameField` (`eth.dst`, `ip.src`, `tcp.flags`, `icmp.code`, `inner.ip.src`).
    public var field: String
    public var condition: Condition

    public init(field: String, condition: Condition) {
        self.field = field
        self.condition = condition
    }
}
