internal import Wire

/// An endpoint as FTP writes it.
package enum DataEndpointText {
    /// `10,0,0,1,4,1`; nil where the address is none of IPv4. Source: RFC 959, 5.3.2
    package static func classic(_ endpoint: Endpoint) -> String? {
        guard case .ipv4(let address) = endpoint.address else { return nil }
        let raw = address.rawValue
        let parts =
            [24, 16, 8, 0].map { "\(raw >> UInt32($0) & 0xff)" } + ["\(endpoint.port >> 8)", "\(endpoint.port & 0xff)"]
        return parts.joined(separator: ",")
    }

    /// From the first digit on, as clients read the reply 227. Source: RFC 1123, 4.1.2.6
    package static func classic(_ text: some StringProtocol) -> Endpoint? {
        let fields = text.drop { !$0.isNumber }.prefix { $0.isNumber || $0 == "," }.split(
            separator: ",", omittingEmptySubsequences: false)
        let numbers = fields.compactMap { UInt8($0) }
        guard fields.count == 6, numbers.count == 6 else { return nil }
        let address = numbers[..<4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return Endpoint(
            address: .ipv4(IPv4Address(rawValue: address)), port: UInt16(numbers[4]) << 8 | UInt16(numbers[5]))
    }

    /// `|1|10.0.0.1|1025|`. Source: RFC 2428, 2
    package static func extended(_ endpoint: Endpoint) -> String {
        "|\(endpoint.address.family == .ipv4 ? 1 : 2)|\(endpoint.address)|\(endpoint.port)|"
    }

    /// `|1|10.0.0.1|1025|` of a command.
    package static func extended(_ text: some StringProtocol) -> Endpoint? {
        guard let mark = text.first else { return nil }
        let fields = text.split(separator: mark, omittingEmptySubsequences: false)
        guard fields.count == 5, fields[0].isEmpty, fields[4].isEmpty, let address = IPAddress(String(fields[2])),
            fields[1] == (address.family == .ipv4 ? "1" : "2"), let port = UInt16(fields[3])
        else { return nil }
        return Endpoint(address: address, port: port)
    }

    /// `(|||1025|)` of the reply 229. Source: RFC 2428, 3
    package static func port(_ text: some StringProtocol) -> UInt16? {
        guard let start = text.firstIndex(of: "("), let end = text[start...].firstIndex(of: ")") else { return nil }
        let inner = text[text.index(after: start)..<end]
        guard let mark = inner.first else { return nil }
        let fields = inner.split(separator: mark, omittingEmptySubsequences: false)
        guard fields.count == 5, fields[0].isEmpty, fields[1].isEmpty, fields[2].isEmpty, fields[4].isEmpty else {
            return nil
        }
        return UInt16(fields[3])
    }
}
