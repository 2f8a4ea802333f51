/// A host name as DNS has it, without the root's dot: labels of 1 to 63 letters, digits, '-' and '_', 253 bytes in all.
/// Source: RFC 1035, 2.3.4; '_' RFC 8552
public struct DNSName: Hashable, Sendable, RawRepresentable, Codable, CustomStringConvertible {
    public let rawValue: String

    public static let localhost = Self(valid: "localhost")
    /// As messages write it.
    public static let form = "letters, digits, '-', '_' and '.', such as www.example.test"

    private init(valid text: String) { rawValue = text }

    /// - Returns: nil where the text is no such name
    public init?(rawValue: String) {
        let labels = rawValue.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isName =
            rawValue.utf8.count <= 253
            && labels.allSatisfy { label in (1...63).contains(label.count) && label.allSatisfy(Self.isPart) }
        guard isName else { return nil }
        self.rawValue = rawValue
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    public var labels: [[UInt8]] { rawValue.utf8.split(separator: UInt8(ascii: ".")).map { Array($0) } }
    public var description: String { rawValue }
}
