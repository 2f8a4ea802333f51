extension IPv6Address: TextCoded {
    public static var textForm: String { "an IPv6 address such as 2001:db8::1" }

    /// The eight groups of 16 bits.
    var groups: [UInt16] {
        [high, low].flatMap { half in
            [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: half >> UInt64($0)) }
        }
    }

    /// The canonical form: lower case, no leading zeros, the first longest run of two or more zero groups as `::`,
    /// IPv4-mapped addresses with a dotted tail. Source: RFC 5952, 4 and 5
    public var description: String {
        if isIPv4Mapped { return "::ffff:\(IPv4Address(rawValue: UInt32(truncatingIfNeeded: low)))" }
        let groups = groups
        var longest = 0..<0
        var index = 0
        while index < 8 {
            let start = index
            while index < 8, groups[index] == 0 { index += 1 }
            if index - start > max(1, longest.count) { longest = start..<index }
            if index == start { index += 1 }
        }
        func text(_ range: Range<Int>) -> String {
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        if longest.isEmpty { return text(0..<8) }
        return text(0..<longest.lowerBound) + "::" + text(longest.upperBound..<8)
    }

    /// Any form of RFC 4291, 2.2, a dotted IPv4 tail included; no zone, no brackets.
    public init?(_ text: String) {
        guard let parsed = Self.parse(text) else { return nil }
        self = parsed
    }

    private static func parse(_ text: String) -> IPv6Address? {
        // The shortest text is "::" and the longest "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".
        let characters = Array(text.utf8)
        guard (2...45).contains(characters.count) else { return nil }
        var before: [UInt16] = []
        var after: [UInt16] = []
        let colon = UInt8(ascii: ":")
        if let gap = characters.indices.dropLast().first(where: {
            characters[$0] == colon && characters[$0 + 1] == colon
        }) {
            guard let head = groups(characters[..<gap], mayEndDotted: false),
                let tail = groups(characters[(gap + 2)...], mayEndDotted: true), head.count + tail.count <= 7
            else { return nil }
            (before, after) = (head, tail)
        } else {
            guard let all = groups(characters[...], mayEndDotted: true), all.count == 8 else { return nil }
            before = all
        }
        let zeros = [UInt16](repeating: 0, count: 8 - before.count - after.count)
        let g = before + zeros + after
        return IPv6Address(g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7])
    }

    /// Groups separated by single colons; an empty text is no group.
    private static func groups(_ text: ArraySlice<UInt8>, mayEndDotted: Bool) -> [UInt16]? {
        if text.isEmpty { return [] }
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count <= 8 else { return nil }
        var result: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if mayEndDotted, index == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                guard let tail = IPv4Address(String(decoding: part, as: UTF8.self)) else { return nil }
                result += [UInt16(tail.rawValue >> 16), UInt16(tail.rawValue & 0xffff)]
                continue
            }
            guard (1...4).contains(part.count) else { return nil }
            var value: UInt16 = 0
            for character in part {
                guard let digit = hexadecimalDigit(character) else { return nil }
                value = value << 4 | UInt16(digit)
            }
            result.append(value)
        }
        return result
    }
}
