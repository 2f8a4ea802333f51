import Wire

/// The fields of one packet as its text has them.
struct PacketFields {
    var numbers: [String: UInt64] = [:]
    var payload: [UInt8]?
    var addresses: [IPAddress] = []
    var mayFragment = false
    var hasMore = false
    var offset: Int?

    func number<Number: FixedWidthInteger>(_ name: String, default value: Number) -> Number {
        numbers[name].map { Number(truncatingIfNeeded: $0) } ?? value
    }

    /// Of a text, in bytes: what the largest frame of a box has room for, whatever its headers are.
    static let longestPayload = 9000

    /// The values that a payload in digits or quotes stands for.
    static func payload(_ word: PacketWords.Word) throws(PacketTextError) -> [UInt8] {
        let digits = Array(word.text.utf8)
        let length = word.isQuoted ? digits.count : digits.count / 2
        guard length <= longestPayload else {
            throw PacketTextError(word.column, "\(length) bytes are too many: at most \(longestPayload)")
        }
        if word.isQuoted { return digits }
        guard digits.count % 2 == 0 else {
            throw PacketTextError(word.column, "'\(word.text)' has an odd number of digits")
        }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digit(digits[index]), let low = digit(digits[index + 1]) else {
                throw PacketTextError(word.column + index, "'\(word.text)' is not hexadecimal")
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    /// In quotes where everything can be read, else in digits.
    static func text(_ bytes: [UInt8]) -> String {
        let escapes: [UInt8: String] = [13: "\\r", 10: "\\n", 9: "\\t", 34: "\\\"", 92: "\\\\"]
        if bytes.isEmpty || bytes.allSatisfy({ (32...126).contains($0) || escapes[$0] != nil }) {
            return "\"" + bytes.map { escapes[$0] ?? String(UnicodeScalar($0)) }.joined() + "\""
        }
        return digits(bytes)
    }

    static func digits(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
