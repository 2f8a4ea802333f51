/// A rule's number, which both boxes of a pair derive from its name alone: so a session that crosses to the peer can
/// say which rule let it through, whatever order the peer has its rules in.
@frozen
public struct RuleIdentity: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    /// 0 where no rule matched.
    public let rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let none = RuleIdentity(rawValue: 0)

    /// FNV-1a, folded to 16 bits and never 0. Two names may meet: a policy refuses such a pair.
    public init(naming name: String) {
        var hash: UInt32 = 0x811c_9dc5
        for byte in name.utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        let folded = UInt16(truncatingIfNeeded: hash >> 16) ^ UInt16(truncatingIfNeeded: hash)
        rawValue = folded == 0 ? 1 : folded
    }
}
