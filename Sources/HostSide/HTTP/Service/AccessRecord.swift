public import LabTime
public import Wire

/// One line of the access log: a request, and what became of it. The fields are those of the documented product's
/// access log; what was not there is nil.
public struct AccessRecord: Hashable, Sendable, Codable {
    /// When the answer was complete.
    public var time: Timestamp
    public var service: String
    public var client: IPAddress
    public var clientPort: UInt16
    public var vip: IPAddress
    public var vipPort: UInt16
    public var poolMember: String?
    public var memberAddress: IPAddress?
    public var memberPort: UInt16?
    public var snatAddress: IPAddress?
    public var snatPort: UInt16?
    /// Empty, like `uri`, where the request could not be read.
    public var method: String
    public var uri: String
    public var host: String?
    public var userAgent: String?
    public var forwardedFor: String?
    public var status: Int
    /// Bytes of the answer's body.
    public var responseSize: Int
    /// Seconds from the choice of a member until its answer was complete, or its failure known.
    public var serverTime: Double?
    /// Seconds from the request's first byte until its answer was complete.
    public var totalTime: Double
    /// `HTTPErrorReason`, or what was wrong with the request.
    public var reason: String?
    /// More about the reason, in words.
    public var detail: String?

    enum CodingKeys: String, CodingKey {
        case time, service, client, clientPort, vip, vipPort, poolMember, memberAddress, memberPort, snatAddress
        case snatPort, method, uri, host, userAgent
        case forwardedFor = "xForwardedFor"
        case status, responseSize, serverTime, totalTime, reason, detail
    }

    /// A JSON object in one line, without a line's end. Written by hand: it is on every request's way.
    public var jsonLine: String {
        var line = JSONFields()
        line.add("time", text: time.description)
        line.add("service", text: service)
        line.add("client", text: client.description)
        line.add("clientPort", number: clientPort)
        line.add("vip", text: vip.description)
        line.add("vipPort", number: vipPort)
        if let poolMember { line.add("poolMember", text: poolMember) }
        if let memberAddress { line.add("memberAddress", text: memberAddress.description) }
        if let memberPort { line.add("memberPort", number: memberPort) }
        if let snatAddress { line.add("snatAddress", text: snatAddress.description) }
        if let snatPort { line.add("snatPort", number: snatPort) }
        line.add("method", text: method)
        line.add("uri", text: uri)
        if let host { line.add("host", text: host) }
        if let userAgent { line.add("userAgent", text: userAgent) }
        if let forwardedFor { line.add("xForwardedFor", text: forwardedFor) }
        line.add("status", number: status)
        line.add("responseSize", number: responseSize)
        if let serverTime { line.add("serverTime", number: serverTime) }
        line.add("totalTime", number: totalTime)
        if let reason { line.add("reason", text: reason) }
        if let detail { line.add("detail", text: detail) }
        return line.object
    }

    /// The error log's line where a member failed; nil otherwise. The first two in the words of the document.
    public var errorLine: String? {
        guard let reason = reason.flatMap(HTTPErrorReason.init(rawValue:)), reason.status >= 502, reason.status <= 504
        else { return nil }
        let what =
            switch reason {
            case .memberClosedEarly:
                "upstream prematurely closed connection while reading "
                    + (status == 502 ? "response header from upstream" : "upstream")
            case .connectTimeout: "upstream never answered while connecting to upstream"
            case .memberRefused: "connection refused while connecting to upstream"
            case .memberUnreachable: "upstream cannot be reached"
            case .memberReset: "connection reset by upstream"
            case .memberGarbage: "upstream sent an answer that is not HTTP"
            case .noMemberUp: "no live upstreams"
            case .noSourcePort: "no source address and port is free"
            default: "upstream timed out while its response was awaited"
            }
        let more = detail.map { " (\($0))" } ?? ""
        let snat = snatAddress.map { ", snat: \($0):\(snatPort ?? 0)" } ?? ""
        let upstream = memberAddress.map { ", upstream: \"http://\($0):\(memberPort ?? 0)\(uri)\"" } ?? ""
        return "\(time) ERROR \(service): \(what)\(more), client: \(client):\(clientPort)\(snat), "
            + "request: \"\(method) \(uri)\"\(upstream), host: \"\(host ?? "")\""
    }
}

/// Builds a JSON object whose keys need no escape.
private struct JSONFields {
    private var text = "{"

    mutating func add(_ key: StaticString, text value: String) {
        begin(key)
        text += "\""
        var isPlain = true
        for byte in value.utf8 where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
            isPlain = false
            break
        }
        if isPlain {
            text += value
        } else {
            for scalar in value.unicodeScalars {
                switch scalar {
                case "\"": text += "\\\""
                case "\\": text += "\\\\"
                case _ where scalar.value < 0x20:
                    text += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
                default: text.unicodeScalars.append(scalar)
                }
            }
        }
        text += "\""
    }

    mutating func add(_ key: StaticString, number: some BinaryInteger) {
        begin(key)
        text += String(number)
    }

    /// To the microsecond.
    mutating func add(_ key: StaticString, number: Double) {
        begin(key)
        let micro = Int((number * 1e6).rounded())
        let fraction = String(micro % 1_000_000)
        text += "\(micro / 1_000_000)." + String(repeating: "0", count: 6 - fraction.utf8.count) + fraction
    }

    private mutating func begin(_ key: StaticString) {
        text += text.utf8.count == 1 ? "\"" : ",\""
        text += key.description
        text += "\":"
    }

    var object: String { text + "}" }
}
