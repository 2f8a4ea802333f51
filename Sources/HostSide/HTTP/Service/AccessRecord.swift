internal import HTTPExchange
internal import LabEvents
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
    /// `TLSv1.3` or `TLSv1.2`; nil where the client speaks without TLS.
    public var tls: String?

    enum CodingKeys: String, CodingKey {
        case time, service, client, clientPort, vip, vipPort, poolMember, memberAddress, memberPort, snatAddress
        case snatPort, method, uri, host, userAgent
        case forwardedFor = "xForwardedFor"
        case status, responseSize, serverTime, totalTime, reason, detail, tls
    }

    /// A JSON object in one line, without a line's end.
    public var jsonLine: String {
        let buffer = MessageBuffer()
        var clock = SecondText()
        write(into: buffer, &clock)
        return String(decoding: buffer.bytes, as: UTF8.self)
    }

    /// Written by hand: it is on every request's way.
    func write(into buffer: MessageBuffer, _ clock: inout SecondText) {
        let texts =
            service.utf8.count + method.utf8.count + uri.utf8.count + (poolMember?.utf8.count ?? 0)
            + (host?.utf8.count ?? 0) + (userAgent?.utf8.count ?? 0) + (forwardedFor?.utf8.count ?? 0)
            + (reason?.utf8.count ?? 0) + (detail?.utf8.count ?? 0)
        let second = clock.text(of: time)
        buffer.write(upTo: 23 * JSONObjectWriter.fieldBytes + 6 * texts) { memory in
            var line = JSONObjectWriter(memory)
            line.add("time", time: time, second: second)
            line.add("service", text: service)
            line.add("client", address: client)
            line.add("clientPort", number: clientPort)
            line.add("vip", address: vip)
            line.add("vipPort", number: vipPort)
            if let poolMember { line.add("poolMember", text: poolMember) }
            if let memberAddress { line.add("memberAddress", address: memberAddress) }
            if let memberPort { line.add("memberPort", number: memberPort) }
            if let snatAddress { line.add("snatAddress", address: snatAddress) }
            if let snatPort { line.add("snatPort", number: snatPort) }
            line.add("method", text: method)
            line.add("uri", text: uri)
            if let host { line.add("host", text: host) }
            if let userAgent { line.add("userAgent", text: userAgent) }
            if let forwardedFor { line.add("xForwardedFor", text: forwardedFor) }
            line.add("status", number: status)
            line.add("responseSize", number: responseSize)
            if let serverTime { line.add("serverTime", seconds: serverTime) }
            line.add("totalTime", seconds: totalTime)
            if let reason { line.add("reason", text: reason) }
            if let detail { line.add("detail", text: detail) }
            if let tls { line.add("tls", text: tls) }
            line.end()
            return line.count
        }
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
