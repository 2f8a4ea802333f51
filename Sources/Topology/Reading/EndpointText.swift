import Wire

/// `198.51.100.100:80/tcp`, `[2001:db8::100]:80/tcp`, `backend-1:8080`, `backend-1`: who, on which port, by which
/// protocol. An IPv6 address in front of a port is in brackets; without a port it may be.
struct EndpointText {
    /// Without brackets.
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
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            host = String(rest[rest.index(after: rest.startIndex)..<end])
            guard IPv6Address(host) != nil else { return nil }
            rest = rest[rest.index(after: end)...]
            if rest.isEmpty { return }
            guard rest.first == ":", let port = Self.port(rest.dropFirst()) else { return nil }
            self.port = port
            return
        }
        if IPv6Address(String(rest)) != nil {
            host = String(rest)
            return
        }
        if let colon = rest.lastIndex(of: ":") {
            guard let number = Self.port(rest[rest.index(after: colon)...]) else { return nil }
            port = number
            rest = rest[..<colon]
        }
        host = String(rest)
        if host.isEmpty || host.contains(":") { return nil }
    }

    private static func port(_ digits: Substring) -> UInt16? {
        guard let number = UInt16(digits), number > 0, digits.first != "+" else { return nil }
        return number
    }
}
