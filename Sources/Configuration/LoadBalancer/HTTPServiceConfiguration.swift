public import Wire

/// What a virtual service with the profile `http` does beside balancing.
public struct HTTPServiceConfiguration: Hashable, Sendable, Codable {
    /// What becomes of a request's X-Forwarded-For.
    public enum ForwardedFor: String, Hashable, Sendable, Codable, CaseIterable {
        /// The client's address is put behind what is there already.
        case append
        /// The request's own is passed on as it is.
        case off
    }

    public var forwardedFor: ForwardedFor
    public var requestHeaders: HeaderRewriting
    public var responseHeaders: HeaderRewriting
    public var limits: HTTPLimits
    public var timeouts: HTTPTimeouts
    /// nil: every request has a connection of its own to its member.
    public var multiplexing: ConnectionMultiplexing?
    /// The source addresses of connections to members; none for auto-map, the balancer's own address.
    public var sourceAddresses: [IPAddress]
    /// The source ports of connections to members, used one after the other and then again from the first.
    public var sourcePorts: ClosedRange<UInt16>
    /// nil: clients speak HTTP without TLS.
    public var tls: ServiceCertificate?

    public init(
        forwardedFor: ForwardedFor = .append, requestHeaders: HeaderRewriting = HeaderRewriting(),
        responseHeaders: HeaderRewriting = HeaderRewriting(), limits: HTTPLimits = HTTPLimits(),
        timeouts: HTTPTimeouts = HTTPTimeouts(), multiplexing: ConnectionMultiplexing? = nil,
        sourceAddresses: [IPAddress] = [], sourcePorts: ClosedRange<UInt16> = 10240...32767,
        tls: ServiceCertificate? = nil
    ) {
        self.forwardedFor = forwardedFor
        self.requestHeaders = requestHeaders
        self.responseHeaders = responseHeaders
        self.limits = limits
        self.timeouts = timeouts
        self.multiplexing = multiplexing
        self.sourceAddresses = sourceAddresses
        self.sourcePorts = sourcePorts
        self.tls = tls
    }
}

/// With which certificate a service ends its clients' TLS.
public enum ServiceCertificate: Hashable, Sendable, Codable {
    /// The one that every lab has, and everybody its key.
    case lab
    /// Absolute paths of PEM files: the certificate with those of its issuers behind it, and its private key.
    case files(certificate: String, key: String)
}

/// Header fields that a service removes, and then sets, on every request or response.
public struct HeaderRewriting: Hashable, Sendable, Codable {
    public struct Field: Hashable, Sendable, Codable {
        public var name: String
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Takes the place of every field of the same name.
    public var set: [Field]
    /// Names of fields, in any case.
    public var remove: [String]

    public init(set: [Field] = [], remove: [String] = []) {
        self.set = set
        self.remove = remove
    }
}

/// What a message may measure before it is refused.
public struct HTTPLimits: Hashable, Sendable, Codable {
    /// Bytes of a request's start line and fields; more is answered with 431. A response may have four times as much.
    public var headerSize: Int
    /// Fields of a request; more is answered with 431. A response may have four times as many.
    public var headerCount: Int
    /// Bytes of a request's body; more is answered with 413.
    public var bodySize: Int
    /// Connections of clients at the same time; one more is reset at once.
    public var connections: Int

    public init(
        headerSize: Int = 16_384, headerCount: Int = 100, bodySize: Int = 64 << 20, connections: Int = 16_384
    ) {
        self.headerSize = headerSize
        self.headerCount = headerCount
        self.bodySize = bodySize
        self.connections = connections
    }
}

/// How long an HTTP service waits, and for what.
public struct HTTPTimeouts: Hashable, Sendable, Codable {
    /// From a request's first byte (of a new connection: from its beginning) to the end of its head; then 408.
    public var clientHeader: Duration
    /// Between two pieces of a request's body, then 408; also how long a client may take nothing of its answer.
    public var clientBody: Duration
    /// From the end of an answer to the first byte of the next request.
    public var keepAlive: Duration
    /// From the first SYN to the member's answer; then 502.
    public var serverConnect: Duration
    /// From the request's end to the answer's beginning, and between two of its pieces; then 504.
    public var serverResponse: Duration

    public init(
        clientHeader: Duration = .seconds(5), clientBody: Duration = .seconds(5), keepAlive: Duration = .seconds(10),
        serverConnect: Duration = .milliseconds(1200), serverResponse: Duration = .seconds(5)
    ) {
        self.clientHeader = clientHeader
        self.clientBody = clientBody
        self.keepAlive = keepAlive
        self.serverConnect = serverConnect
        self.serverResponse = serverResponse
    }

    /// As in the documented product: answers within 60 s, idle clients 15 s, and a connection to a member is given up
    /// after the SYN that is repeated at 31 s.
    public static let vendor = HTTPTimeouts(
        clientHeader: .seconds(60), clientBody: .seconds(60), keepAlive: .seconds(15),
        serverConnect: .milliseconds(31_600), serverResponse: .seconds(60))
}

/// TCP multiplexing: connections to members stay open for further requests, of any client.
public struct ConnectionMultiplexing: Hashable, Sendable, Codable {
    /// A connection without a request for so long is closed.
    public var idleTime: Duration
    /// Requests that one connection carries, at least 1.
    public var mostRequests: Int

    public init(idleTime: Duration = .seconds(5), mostRequests: Int = 1000) {
        self.idleTime = idleTime
        self.mostRequests = mostRequests
    }
}

extension HTTPServiceConfiguration {
    /// Fields that say where a message ends and who speaks: never a matter of rewriting.
    public static let framingFields = ["content-length", "transfer-encoding", "connection", "keep-alive", "upgrade"]

    /// What is wrong with it, in words; nil where it can work.
    public var problem: String? {
        if !(1...65_535).contains(Int(sourcePorts.lowerBound)) { return "source port 0 is none" }
        if limits.headerSize < 64 || limits.headerCount < 1 || limits.bodySize < 0 || limits.connections < 1 {
            return "a limit that no request can keep"
        }
        for (rewriting, what) in [(requestHeaders, "request"), (responseHeaders, "response")] {
            for name in rewriting.remove + rewriting.set.map(\.name) {
                guard !name.isEmpty, name.utf8.allSatisfy(Self.isTokenCharacter) else {
                    return "'\(name)' is no name of a \(what) header"
                }
                if Self.framingFields.contains(name.lowercased()) {
                    return "the \(what) header '\(name)' says where a message ends; it cannot be rewritten"
                }
            }
            for field in rewriting.set where !field.value.utf8.allSatisfy({ $0 == 9 || ($0 >= 32 && $0 != 127) }) {
                return "the value of the \(what) header '\(field.name)' has a control character"
            }
        }
        if requestHeaders.remove.contains(where: { $0.lowercased() == "host" }) {
            return "the request header 'host' cannot be removed, only set"
        }
        return nil
    }

    /// RFC 9110, 5.6.2
    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
