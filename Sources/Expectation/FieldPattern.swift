import Wire

/// One value of a check, as the set of field values that it stands for.
enum FieldPattern: Hashable, Sendable {
    case exactly(FieldValue)
    case network(IPNetwork)
    /// The bits under the mask are as given; the others are open.
    case flags(UInt8, mask: UInt8)

    /// nil where the text is not a value of that field; `FrameField.validate` describes the values.
    init?(_ written: String, for name: FrameField.Name) {
        let text = written.trimmingSpaces
        switch name.kind {
        case .mac:
            guard let value = MACAddress(text) else { return nil }
            self = .exactly(.mac(value))
        case .address(let family):
            if let value = IPAddress(text), value.family == family {
                self = .exactly(.address(value))
            } else if let network = IPNetwork(text), network.family == family {
                self = .network(network)
            } else {
                return nil
            }
        case .number(let maximum, let words, let unit):
            var digits = text
            if let unit, digits.hasSuffix(unit) { digits = String(digits.dropLast(unit.count)).trimmingSpaces }
            guard let value = words[text.lowercased()] ?? FieldValue.number(digits), value <= maximum else {
                return nil
            }
            self = .exactly(.number(value))
        case .flags:
            if text.hasPrefix("+") {
                guard let flags = TCPFlagText.flags(text.dropFirst()), flags != 0 else { return nil }
                self = .flags(flags, mask: flags)
            } else {
                guard let flags = TCPFlagText.flags(text) else { return nil }
                self = .flags(flags, mask: flags | TCPFlagText.connection)
            }
        case .word:
            guard !text.isEmpty, !text.contains(" ") else { return nil }
            self = .exactly(.word(text))
        case .boolean:
            switch text.lowercased() {
            case "true", "yes", "on", "1": self = .exactly(.boolean(true))
            case "false", "no", "off", "0": self = .exactly(.boolean(false))
            default: return nil
            }
        }
    }

    func matches(_ value: FieldValue) -> Bool {
        switch (self, value) {
        case (.exactly(let expected), _): expected == value
        case (.network(let network), .address(let address)): network.contains(address)
        case (.flags(let flags, let mask), .flags(let seen)): seen & mask == flags
        default: false
        }
    }
}

extension String {
    var trimmingSpaces: String {
        guard let first = firstIndex(where: { $0 != " " }), let last = lastIndex(where: { $0 != " " }) else {
            return ""
        }
        return String(self[first...last])
    }
}
