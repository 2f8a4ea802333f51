public import Wire

/// Lookups of a host name, each from a new UDP source port, as glibc's resolver sends them: one query for each record
/// type, all at once. A DNS server answers that is a program of the lab.
///
/// Source: resolv.conf(5); glibc, resolv/res_send.c
public struct DNSTraffic: TrafficKind {
    public static let name = "dns"
    public static let summary =
        "DNS lookups by UDP, each from a new source port, as glibc's resolver sends them, see [below](#kind-dns)"
    public static let keys = [
        TrafficKey("name", usual: "required", "the host name to look up"),
        TrafficKey(
            "records", usual: "`[A]`",
            "record types: A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT. All queries are sent at once, from one socket, unless `single-request-reopen` is on"
        ),
        TrafficKey("timeout", usual: "5 s", "how long a try waits for answers"),
        TrafficKey("attempts", usual: "2", "tries without an answer, after which a lookup fails; at most 5"),
        TrafficKey(
            "single-request-reopen", usual: "off",
            "whether the query for a record is sent from a new socket once the one before is answered"),
        TrafficKey("expect-rcode", usual: "NOERROR", "the RCODE that the answers must have"),
    ]
    public static let example =
        #"{ from: client, to: "server:53", kind: dns, name: www.example.test, records: [A, AAAA], every: 1s, "#
        + "timeout: 500ms, attempts: 3, single-request-reopen: on, expect-rcode: NXDOMAIN }"
    public static let server: ServerProgram.Kind? = nil
    public static let transport: IPProtocol? = .udp
    public static let defaultPort: UInt16? = 53
    public static let opensFlowForEachProbe = true

    /// Source: RFC 1035, 3.2.2; RFC 3596, 2.1; RFC 2782
    public enum RecordType: String, Hashable, Sendable, Codable, CaseIterable {
        case address = "A"
        case ipv6Address = "AAAA"
        case canonicalName = "CNAME"
        case mailExchange = "MX"
        case nameServer = "NS"
        case pointer = "PTR"
        case startOfAuthority = "SOA"
        case service = "SRV"
        case text = "TXT"

        public var number: UInt16 {
            switch self {
            case .address: 1
            case .nameServer: 2
            case .canonicalName: 5
            case .startOfAuthority: 6
            case .pointer: 12
            case .mailExchange: 15
            case .text: 16
            case .ipv6Address: 28
            case .service: 33
            }
        }
    }

    /// In the order of their numbers. Source: RFC 1035, 4.1.1
    public enum ResponseCode: String, Hashable, Sendable, Codable, CaseIterable {
        case noError = "NOERROR"
        case formatError = "FORMERR"
        case serverFailure = "SERVFAIL"
        case nameError = "NXDOMAIN"
        case notImplemented = "NOTIMP"
        case refused = "REFUSED"

        /// As messages write an RCODE: `NXDOMAIN`, `RCODE 9`
        public static func description(of number: UInt8) -> String {
            allCases.indices.contains(Int(number)) ? allCases[Int(number)].rawValue : "RCODE \(number)"
        }
    }

    /// The host name. `name` is the program's own in the files of a run.
    public var host: DNSName
    /// At least one, each once.
    public var records: [RecordType]
    public var tryTimeout: Duration
    /// Tries without an answer, after which the lookup fails.
    public var attempts: Int
    public var reopens: Bool
    public var expected: ResponseCode

    private enum CodingKeys: String, CodingKey {
        case host, records, tryTimeout, attempts
        case reopens = "singleRequestReopen"
        case expected = "expectedRcode"
    }

    public init(
        _ host: DNSName, records: [RecordType] = [.address], tryTimeout: Duration = .seconds(5), attempts: Int = 2,
        reopens: Bool = false, expected: ResponseCode = .noError
    ) {
        self.host = host
        self.records = records
        self.tryTimeout = tryTimeout
        self.attempts = attempts
        self.reopens = reopens
        self.expected = expected
    }

    /// A lab file must have a name.
    public init() { self.init(.localhost) }

    public static func read(_ written: some WrittenTraffic, of program: WrittenProgram) -> Self {
        var own = Self()
        if !written.has("name") {
            written.report("kind dns needs the key 'name'", atValueOf: "name", allowed: [DNSName.form])
        } else if let text = written.text("name") {
            if let host = DNSName(rawValue: text) {
                own.host = host
            } else {
                written.report("\(written.found("name")) is no host name", atValueOf: "name", allowed: [DNSName.form])
            }
        }
        if written.has("payload") {
            written.report("the length of a DNS query follows from its name", atKey: "payload", allowed: [])
        }
        own.records = written.choices("records", as: RecordType.self) ?? own.records
        // At most what resolv.conf(5) takes.
        own.tryTimeout = written.duration("timeout", in: .milliseconds(1)...(.seconds(30))) ?? own.tryTimeout
        own.attempts = written.integer("attempts", in: 1...5) ?? own.attempts
        own.reopens = written.flag("single-request-reopen") ?? own.reopens
        own.expected = written.choice("expect-rcode", as: ResponseCode.self) ?? own.expected
        return own
    }

    /// As long as its resolver tries, and one try more, so that it has the last word: where some records are answered and
    /// others are not, it asks in another order twice, which counts as no try.
    public var usualTimeout: Duration? { tryTimeout * (attempts + 1 + (records.count > 1 && !reopens ? 2 : 0)) }

    public var trace: AnswerTrace { .datagrams }
    public var numbers: [(name: String, value: Int)] { [("attempts", attempts)] }
    public var times: [(name: String, value: Duration)] { [("tryTimeout", tryTimeout)] }
}

extension TrafficProgram.Kind {
    public static let dns = Self(DNSTraffic.self)
}
