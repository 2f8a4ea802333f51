import Wire

/// A field's value as read from a frame.
enum FieldValue: Hashable, Sendable {
    case mac(MACAddress)
    case address(IPAddress)
    case number(UInt64)
    /// The low eight bits of the TCP flags: CWR ECE URG ACK PSH RST SYN FIN.
    case flags(UInt8)
    case boolean(Bool)

    /// As a lab writes it.
    func text(for name: FrameField.Name) -> String {
        switch self {
        case .mac(let value): value.description
        case .address(let value): value.description
        case .flags(let value): TCPFlagText.text(value)
        case .boolean(let value): value ? "true" : "false"
        case .number(let value):
            if case .number(_, let words, let unit) = name.kind {
                words.first { $0.value == value }?.key
                    ?? (name == .ethernetType ? "0x" + Self.hexadecimal(value, digits: 4) : "\(value)" + (unit ?? ""))
            } else {
                "\(value)"
            }
        }
    }

    static func hexadecimal(_ value: UInt64, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// Decimal, or hexadecimal after `0x`.
    static func number(_ text: String) -> UInt64? {
        let isHexadecimal = text.lowercased().hasPrefix("0x")
        let digits = isHexadecimal ? text.dropFirst(2) : text[...]
        guard let first = digits.first, first.isHexDigit else { return nil }
        return UInt64(digits, radix: isHexadecimal ? 16 : 10)
    }
}
