internal import Measurement
internal import Wire

/// A request of `http-request`, as its client writes it. Source: RFC 9112, 2.1
enum HTTPRequestText {
    /// - Parameter flow: decides how long its body is, where a program has several
    static func bytes(_ program: TrafficProgram, flow: UInt32) -> [UInt8] {
        let options = program.options(of: HTTPRequestTraffic.self)
        var fields = ["\((options?.method ?? .get).rawValue) \(program.path) HTTP/1.1"]
        fields += ["Host: \(program.target.bracketed)", "User-Agent: failoverlab"]
        let body = options?.bodyLength(flow: flow)
        if let body { fields += ["Content-Type: application/octet-stream", "Content-Length: \(body)"] }
        if !program.reusesConnections { fields.append("Connection: close") }
        return Array((fields + ["", ""]).joined(separator: "\r\n").utf8)
            + (0..<(body ?? 0)).map { UInt8(truncatingIfNeeded: $0) }
    }
}
