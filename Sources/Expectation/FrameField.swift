/// A typed field of a frame that an expectation can check: `eth.dst`, `tcp.flags`, `inner.ip.src`.
///
/// `inner.` reaches one layer further in: the packet that an ICMP or ICMPv6 error quotes, or that a
/// tunnel carries: IPv4 or IPv6 in either, or GRE.
public struct FrameField: Hashable, Sendable {
    /// The field's name without `inner.`.
    public enum Name: String, Hashable, Sendable, CaseIterable {
        case ethernetSource = "eth.src"
        case ethernetDestination = "eth.dst"
        case ethernetType = "eth.type"
        case arpOperation = "arp.op"
        case arpSenderMAC = "arp.sender.mac"
        case arpSenderAddress = "arp.sender.ip"
        case arpTargetMAC = "arp.target.mac"
        case arpTargetAddress = "arp.target.ip"
        case ipSource = "ip.src"
        case ipDestination = "ip.dst"
        case ipTimeToLive = "ip.ttl"
        case ipProtocol = "ip.proto"
        case ipIdentification = "ip.id"
        /// Total length in bytes, header included.
        case ipLength = "ip.len"
        case ipDontFragment = "ip.df"
        case ip6Source = "ip6.src"
        case ip6Destination = "ip6.dst"
        case ip6HopLimit = "ip6.hlim"
        /// What follows the extension headers.
        case ip6NextHeader = "ip6.nxt"
        /// Bytes behind the IPv6 header, extension headers included.
        case ip6Length = "ip6.len"
        case tcpSourcePort = "tcp.srcport"
        case tcpDestinationPort = "tcp.dstport"
        case tcpFlags = "tcp.flags"
        /// As on the wire, not relative to the connection's start.
        case tcpSequence = "tcp.seq"
        case tcpAcknowledgment = "tcp.ack"
        /// Payload bytes.
        case tcpLength = "tcp.len"
        /// The largest segment that a SYN announces.
        case tcpSegmentSize = "tcp.mss"
        case udpSourcePort = "udp.srcport"
        case udpDestinationPort = "udp.dstport"
        /// Payload bytes.
        case udpLength = "udp.len"
        case icmpType = "icmp.type"
        case icmpCode = "icmp.code"
        /// Of "fragmentation needed": the largest packet that the next hop takes.
        case icmpMTU = "icmp.mtu"
        case icmp6Type = "icmp6.type"
        case icmp6Code = "icmp6.code"
        /// Of "packet too big": the largest packet that the next hop takes.
        case icmp6MTU = "icmp6.mtu"
        /// The address that a neighbour solicitation asks for, or an advertisement announces.
        case discoveryTarget = "nd.target"
        /// Of an HTTP/1 message that begins in this segment.
        case httpStatus = "http.status"
        case httpMethod = "http.method"
        case httpURI = "http.uri"
        case httpHost = "http.host"
        /// Of a traffic program's request or answer that begins the payload: the program's number in its node, the flow's
        /// in the program, the request's in the flow, each from 0.
        case probeProgram = "probe.program"
        case probeFlow = "probe.flow"
        case probeSequence = "probe.sequence"
        /// VRID
        case vrrpIdentifier = "vrrp.id"
        case vrrpPriority = "vrrp.priority"
        /// The advertisement interval in milliseconds, of either version.
        case vrrpInterval = "vrrp.interval"
    }

    public var name: Name
    public var isInner: Bool

    public init(_ name: Name, isInner: Bool = false) {
        self.name = name
        self.isInner = isInner
    }

    /// nil where there is no such field; `allNames` lists them.
    public init?(_ text: String) {
        let isInner = text.hasPrefix(Self.innerPrefix)
        guard let name = Name(rawValue: isInner ? String(text.dropFirst(Self.innerPrefix.count)) : text),
            !isInner || name.canBeInner
        else { return nil }
        self.init(name, isInner: isInner)
    }

    /// Every name that a lab may write, in the order of the layers.
    public static let allNames: [String] =
        Name.allCases.map(\.rawValue) + Name.allCases.filter(\.canBeInner).map { innerPrefix + $0.rawValue }

    static let innerPrefix = "inner."

    /// What is wrong with a value as a lab writes it; nil where it is right.
    public func validate(_ value: String) -> String? {
        FieldPattern(value, for: name) == nil ? "\(self) takes \(name.kind.allowed), not '\(value)'" : nil
    }

    /// Whether `"< 10"` and the like make sense for it.
    public var isNumber: Bool {
        if case .number = name.kind { true } else { false }
    }
}

extension FrameField: CustomStringConvertible {
    public var description: String { (isInner ? Self.innerPrefix : "") + name.rawValue }
}

extension FrameField.Name {
    /// True for a field of IPv4's header or ICMP, false for one of IPv6's or ICMPv6; nil where both families have it.
    var isOfIPv4: Bool? {
        switch self {
        case .ipSource, .ipDestination, .ipTimeToLive, .ipProtocol, .ipIdentification, .ipLength, .ipDontFragment,
            .icmpType, .icmpCode, .icmpMTU:
            true
        case .ip6Source, .ip6Destination, .ip6HopLimit, .ip6NextHeader, .ip6Length, .icmp6Type, .icmp6Code, .icmp6MTU,
            .discoveryTarget:
            false
        default: nil
        }
    }

    /// An inner packet begins with its IP header: it has no Ethernet header of its own. Where it is quoted, its payload
    /// is cut off.
    var canBeInner: Bool { !["eth.", "arp.", "http.", "probe."].contains { rawValue.hasPrefix($0) } }
}

extension FieldCheck {
    /// What is wrong with this check (an unknown field, a value that the field cannot have); nil where it is right.
    public var problem: String? {
        guard let frameField = FrameField(field) else { return "there is no field '\(field)'" }
        switch condition {
        case .equals(let value), .isNot(let value):
            return frameField.validate(value)
        case .isOneOf(let values):
            if values.isEmpty { return "\(field) needs at least one value" }
            return values.lazy.compactMap { frameField.validate($0) }.first
        case .compares(let comparison):
            return frameField.isNumber
                ? nil : "\(field) is not a number: '\(comparison.relation.rawValue)' cannot compare it"
        }
    }
}
