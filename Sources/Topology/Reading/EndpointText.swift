import Wire

/// `198.51.100.100:80/tcp`, `backend-1:8080`, `backend-1`: who, on which port, by which protocol.
struct EndpointText {
    var host: String
    var port: UInt16?
    var transport: IPProtocol?

    /// nil where the port or the protocol is none.
    init?(_ text: String) {
        var rest = text[...]
        if let slash = rest.lastIndex(of: "/") {
            switch rest[rest.index(after: slash)...] {
            case "tcp": transport = .tcp
            case "udp": transport = .udp
            default: return nil
            }
            rest = rest[..<slash]
        }
        if let colon = rest.lastIndex(of: ":") {
            let digits = rest[rest.index(after: colon)...]
            guard let number = UInt16(digits), number > 0, digits.first != "+" else { return nil }
            port = number
            rest = rest[..<colon]
        }
        host = String(rest)
        if host.isEmpty { return nil }
    }
}
