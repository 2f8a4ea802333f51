/// The part of a node that counts: what is declared of a place is there in every node with that part.
public enum CounterPlace: String, CaseIterable, Hashable, Sendable {
    case dataplane, drop, packetIO
    case firewall, application, category, fragments, pair, conduit, conduitWorker, discard
    case balancer, service, member
    case gatewayFirewall, eventLimits
    case `switch`
    case element, rule
    case proxy, http, httpAnswer, httpFailure, httpTLSFailure
    case kernel
    case program

    /// Which nodes have it, as in the reference.
    public var owners: String {
        switch self {
        case .dataplane, .drop: "every box, tunnel of a pool member"
        case .packetIO: "every box, in-line element, tunnel of a pool member"
        case .firewall, .application: "firewall"
        case .category: "firewall with categories"
        case .fragments: "firewall, gateway-firewall"
        case .pair, .discard: "firewall with redundancy"
        case .conduit, .conduitWorker: "firewall with a conduit"
        case .balancer: "load-balancer"
        case .service: "load-balancer, each service"
        case .member: "load-balancer, each pool member"
        case .gatewayFirewall: "gateway-firewall"
        case .eventLimits: "gateway-firewall, switch"
        case .switch: "switch"
        case .element: "in-line element"
        case .rule: "in-line element, each fault"
        case .proxy: "load-balancer, each service of the profile tcp-proxy"
        case .http, .httpAnswer: "load-balancer, each service of the profile http"
        case .httpFailure, .httpTLSFailure: "load-balancer, each service of the profile http, once it has counted"
        case .kernel: "client, backend, router"
        case .program: "every node with programs that have counters"
        }
    }
}

/// A word in angle brackets in a counter's name or meaning.
public enum CounterPlaceholder: String, CaseIterable, Hashable, Sendable {
    case application, category, `class`, group, meaning, member, name, program, reason, rule, service,
        worker

    /// As it stands in names.
    public var bracketed: String { "<\(rawValue)>" }
}

/// What stands for the words in angle brackets.
public typealias CounterWords = [CounterPlaceholder: String]

extension Counter {
    /// The groups of a kernel's counters, as in `/proc/net/snmp` and `/proc/net/netstat`.
    public static let kernelGroups = [
        "Ip", "Icmp", "IcmpMsg", "Tcp", "Udp", "UdpLite", "TcpExt", "IpExt", "MPTcpExt",
    ]

    /// Of a name in a lab file, and of a reading.
    public func name(_ words: CounterWords = [:]) -> String { Self.fill(rawValue, words) }

    /// The sentence about the counter with these words.
    public func meaning(_ words: CounterWords = [:]) -> String { Self.fill(meaning, words) }

    private static func fill(_ pattern: String, _ words: CounterWords) -> String {
        guard !words.isEmpty else { return pattern }
        var text = ""
        var rest = pattern[...]
        while let begin = rest.firstIndex(of: "<"), let end = rest[begin...].firstIndex(of: ">") {
            let placeholder = CounterPlaceholder(rawValue: String(rest[rest.index(after: begin)..<end]))
            text += rest[..<begin]
            text += placeholder.flatMap { words[$0] } ?? String(rest[begin...end])
            rest = rest[rest.index(after: end)...]
        }
        return text + rest
    }
}
