/// Why bytes were not what they claim to be: the layer, the reason, and the two numbers that disagree.
///
/// A value that is returned for a frame and thrown at the edge; it holds no memory.
@frozen
public struct WireError: Error, Hashable, Sendable {
    public let layer: Layer
    public let reason: Reason
    /// What was found: bytes there, a version, a checksum field…
    public let found: UInt32
    /// What would have been right; zero where that is not one number.
    public let expected: UInt32

    @inlinable
    public init(_ layer: Layer, _ reason: Reason, found: Int = 0, expected: Int = 0) {
        self.layer = layer
        self.reason = reason
        self.found = UInt32(truncatingIfNeeded: found)
        self.expected = UInt32(truncatingIfNeeded: expected)
    }

    @frozen
    public enum Layer: UInt8, Sendable, CaseIterable {
        case ethernet, arp, ipv4, ipv6, icmpv4, icmpv6, tcp, udp, vrrp, gre, sync
    }

    @frozen
    public enum Reason: UInt8, Sendable, CaseIterable {
        /// Fewer bytes than the header needs.
        case truncated
        /// A version that this protocol does not have, or that this program does not speak.
        case wrongVersion
        /// A header length below its minimum or beyond its packet.
        case wrongHeaderLength
        /// A packet length below its header or beyond the bytes that are there.
        case wrongLength
        case wrongChecksum
        /// A type, code or operation that this program does not know.
        case unknownKind
        /// A field whose value the protocol forbids.
        case forbiddenValue
        /// An option that runs over the end of its header, or has no length.
        case wrongOption
        /// More extension headers than any honest packet has.
        case tooManyHeaders
        /// The first bytes are not this protocol's.
        case foreign
        /// No authenticator, where this box has a key.
        case notAuthenticated
        /// An authenticator, where this box has no key.
        case unexpectedAuthenticator
        /// An authenticator that this box's key does not make of the message.
        case wrongAuthenticator
        /// Of an earlier life of the sender or the receiver: it was overtaken, or somebody repeats what was recorded.
        case replayed
    }
}

extension WireError.Layer: CustomStringConvertible {
    public var description: String {
        switch self {
        case .ethernet: "Ethernet"
        case .arp: "ARP"
        case .ipv4: "IPv4"
        case .ipv6: "IPv6"
        case .icmpv4: "ICMP"
        case .icmpv6: "ICMPv6"
        case .tcp: "TCP"
        case .udp: "UDP"
        case .vrrp: "VRRP"
        case .gre: "GRE"
        case .sync: "cross-connect"
        }
    }
}

extension WireError: CustomStringConvertible {
    /// One sentence: `IPv4: the packet's length is 1500, but 60 bytes are there`.
    public var description: String {
        let text =
            switch reason {
            case .truncated: "ends after \(found) bytes where its header needs \(expected)"
            case .wrongVersion: "the version is \(found), not \(expected)"
            case .wrongHeaderLength: "the header's length is \(found), allowed are up to \(expected)"
            case .wrongLength: "the length field says \(found), but \(expected) bytes are there"
            case .wrongChecksum: "the checksum field 0x\(String(found, radix: 16)) does not match the bytes"
            case .unknownKind: "the type or operation \(found) is not known here"
            case .forbiddenValue: "a field has the forbidden value \(found)"
            case .wrongOption: "an option at byte \(found) runs over its header's end"
            case .tooManyHeaders: "more than \(expected) extension headers"
            case .foreign: "the first bytes 0x\(String(found, radix: 16)) belong to another protocol"
            case .notAuthenticated: "it carries no authenticator, and this box has a key"
            case .unexpectedAuthenticator: "it carries an authenticator, and this box has no key"
            case .wrongAuthenticator: "its authenticator was made with another key, or it was changed on its way"
            case .replayed: "it is of an earlier life of the sender or the receiver"
            }
        return "\(layer): \(text)"
    }
}
