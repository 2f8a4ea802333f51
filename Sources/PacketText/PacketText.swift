public import Wire

/// Packets as lines of text, both ways: for traces, and for tables of tests.
///
/// ```
/// 02:00:00:00:01:0a>02:00:00:00:02:00 tcp 10.0.0.1:1024 > 10.0.0.2:80 SYN seq 1 ack 1 win 1000 mss 1460
/// udp [2001:db8::1]:53 > [2001:db8::2]:4000 ttl 63 payload "hello\r\n"
/// icmp 10.0.0.1 > 10.0.0.2 8/0 id 7 seq 1             an echo request: type/code, identifier, sequence
/// icmp 10.0.0.9 > 10.0.0.1 3/4 mtu 1400 about tcp 10.0.0.1:1024 > 10.0.0.2:80
/// icmpv6 fe80::1 > ff02::1:ff00:2 solicit fe80::2 at 02:00:00:00:00:01
/// icmpv6 fe80::2 > fe80::1 advertise fe80::2 at 02:00:00:00:00:02 flags 0x60
/// arp who-has 10.0.0.2 tell 10.0.0.1
/// arp 10.0.0.2 is-at 02:00:00:00:00:02 for 10.0.0.1
/// vrrp 10.0.0.1 > 224.0.0.18 vrid 10 prio 200 interval 100 addresses 10.0.0.254
/// gre 10.0.0.1 > 10.0.0.2 payload 00000800
/// udp 10.0.0.1 > 10.0.0.2 +1480 more ipid 7 payload 0102        a later fragment, from byte 1480 on
/// ```
///
/// Fields that a text leaves out have their defaults. The full text of a frame gives exactly this frame again; what no
/// other field says (options, wrong checksums, padding, unknown protocols) is said by `bytes`, the whole frame in
/// hexadecimal digits.
///
/// | field | of | meaning |
/// |---|---|---|
/// | `seq`, `ack`, `win`, `mss`, `wscale` | tcp | sequence, acknowledgement, window and its shift, maximum segment size |
/// | `id`, `seq` | icmp, icmpv6 | identifier and sequence of a query |
/// | `mtu`, `rest` | icmp, icmpv6 | next hop's MTU; any value of bytes 4 … 7 of the message |
/// | `vrid`, `prio`, `interval`, `addresses`, `version` | vrrp | interval in hundredths of a second; addresses with commas |
/// | `ttl`, `class`, `ipid`, `may-fragment`, `more`, `+N` | IP | time to live or hop limit, traffic class; of IPv4: identification, no DF bit, more fragments, offset in bytes |
/// | `payload` | all | digits in pairs, or a text in quotes with `\r`, `\n`, `\t`, `\"`, `\\` |
/// | `len` | all | a payload of so many bytes, each of them 0x70 |
public struct PacketText: Hashable, Sendable {
    public enum Detail: Hashable, Sendable {
        /// Protocol, addresses, ports, and what kind of message it is: for tables.
        case brief
        /// Everything; the frame can be made of it again.
        case full
    }

    /// What the fields are that a text leaves out. The hop limit of VRRP and neighbour discovery is 255 always.
    public struct Defaults: Hashable, Sendable {
        public var timeToLive: UInt8 = 64
        public var identification: UInt16 = 0
        public var sequence: UInt32 = 1
        public var acknowledgement: UInt32 = 1
        public var window: UInt16 = 1000
        public var payload: [UInt8] = []

        public init() {}
    }

    /// Names for MAC addresses.
    public var stations: [String: MACAddress]
    public var defaults: Defaults

    public init(stations: [String: MACAddress] = [:], defaults: Defaults = Defaults()) {
        self.stations = stations
        self.defaults = defaults
    }

    /// The name of a MAC address, or the address; of several names the first by the alphabet.
    func station(_ mac: MACAddress) -> String {
        stations.filter { $0.value == mac }.keys.min() ?? mac.description
    }

    /// The fields that stand for a number, and the largest.
    static let numbers: [String: UInt64] = [
        "seq": UInt64(UInt32.max), "ack": UInt64(UInt32.max), "win": 0xffff, "mss": 0xffff, "wscale": 255,
        "id": 0xffff, "mtu": UInt64(UInt32.max), "rest": UInt64(UInt32.max), "vrid": 255, "prio": 255,
        "interval": 0xffff, "version": 3, "ttl": 255, "class": 255, "ipid": 0xffff,
        "len": UInt64(PacketFields.longestPayload), "flags": 255,
    ]

    private static let general: Set<String> = ["ttl", "class", "ipid", "may-fragment", "more", "payload", "len"]

    /// The fields of a protocol.
    static func fields(of proto: IPProtocol) -> Set<String> {
        switch proto {
        case .tcp: general.union(["seq", "ack", "win", "mss", "wscale"])
        case .icmp, .icmpv6: general.union(["id", "seq", "mtu", "rest"])
        case .vrrp: general.union(["vrid", "prio", "interval", "addresses", "version"])
        default: general
        }
    }
}

/// Why a text is no packet, and where.
public struct PacketTextError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The first character that is wrong, counted from 1.
    public var column: Int
    public var reason: String

    init(_ column: Int, _ reason: String) {
        self.column = column
        self.reason = reason
    }

    public var description: String { "column \(column): \(reason)" }
}
