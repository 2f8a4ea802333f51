/// Classes of bytes in HTTP/1.1 messages.
enum HTTPCharacters {
    static let cr = UInt8(ascii: "\r")
    static let lf = UInt8(ascii: "\n")
    static let space = UInt8(ascii: " ")
    static let tab = UInt8(ascii: "\t")

    // Bit n % 64 of word n / 64: the tokens of RFC 9110, 5.6.2 among ASCII.
    private static let tokenLow: UInt64 = 0x03FF_6CFA_0000_0000
    private static let tokenHigh: UInt64 = 0x57FF_FFFF_C7FF_FFFE

    static func isToken(_ byte: UInt8) -> Bool {
        guard byte < 128 else { return false }
        return (byte < 64 ? tokenLow : tokenHigh) >> UInt64(byte & 63) & 1 == 1
    }

    /// VCHAR, blank, tab and obs-text: RFC 9110, 5.5.
    static func isFieldValue(_ byte: UInt8) -> Bool { (byte >= 32 && byte != 127) || byte == tab }

    /// What a request target may hold here: visible ASCII.
    static func isTarget(_ byte: UInt8) -> Bool { byte > 32 && byte < 127 }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    static func hexDigit(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these bytes are `text`, in any case; `text` is in lower case.
    func isCaseless(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in 0..<count {
            var byte = self[index]
            if byte &- UInt8(ascii: "A") < 26 { byte |= 0x20 }
            if byte != text.utf8Start[index] { return false }
        }
        return true
    }

    func isCaseless(_ text: [UInt8]) -> Bool {
        guard count == text.count else { return false }
        for index in 0..<count {
            var byte = self[index]
            if byte &- UInt8(ascii: "A") < 26 { byte |= 0x20 }
            if byte != text[index] { return false }
        }
        return true
    }

    func part(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[range]) }

    func text(_ range: Range<Int>) -> String { String(decoding: self[range], as: UTF8.self) }

    /// The same text as `known`, where it is that, without making it again.
    func text(_ range: Range<Int>, unlessIn known: String?) -> String {
        if let known, known.utf8.count == range.count, known.utf8.elementsEqual(self[range]) { return known }
        return text(range)
    }

    /// The decimal number that is all of these bytes; nil for anything else, and beyond 18 digits.
    var decimal: Int? {
        guard count > 0, count <= 18 else { return nil }
        var value = 0
        for byte in self {
            guard HTTPCharacters.isDigit(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }
}
