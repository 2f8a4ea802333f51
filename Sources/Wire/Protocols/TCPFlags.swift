/// The control bits of a TCP header. Source: RFC 9293, 3.1
@frozen
public struct TCPFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var fin: TCPFlags { TCPFlags(rawValue: 0x01) }
    @inlinable public static var syn: TCPFlags { TCPFlags(rawValue: 0x02) }
    @inlinable public static var rst: TCPFlags { TCPFlags(rawValue: 0x04) }
    @inlinable public static var psh: TCPFlags { TCPFlags(rawValue: 0x08) }
    @inlinable public static var ack: TCPFlags { TCPFlags(rawValue: 0x10) }
    @inlinable public static var urg: TCPFlags { TCPFlags(rawValue: 0x20) }
    @inlinable public static var ece: TCPFlags { TCPFlags(rawValue: 0x40) }
    @inlinable public static var cwr: TCPFlags { TCPFlags(rawValue: 0x80) }

    /// A SYN that opens a connection: without ACK, RST or FIN.
    @inlinable public var isInitialSYN: Bool { rawValue & 0x17 == 0x02 }
    @inlinable public var isSYNACK: Bool { rawValue & 0x17 == 0x12 }
}

extension TCPFlags: CustomStringConvertible {
    /// `SYN,ACK`; a hyphen where no bit is set.
    public var description: String {
        let names = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"]
        let present = names.indices.filter { rawValue >> UInt8($0) & 1 == 1 }.map { names[$0] }
        return present.isEmpty ? "-" : present.joined(separator: ",")
    }
}
