/// A value that JSON and lab files carry as the text a person would write: `192.0.2.1`, `00:00:5e:00:01:01`.
public protocol TextCoded: LosslessStringConvertible, Codable {
    /// What the text must look like, for error messages: `an IPv4 address such as 192.0.2.1`.
    static var textForm: String { get }
}

extension TextCoded {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Self(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not \(Self.textForm)")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// Reads decimal digits without sign, blank or leading zero.
/// - Returns: nil where the text is anything else or the value exceeds `maximum`.
func decimal(_ digits: some Collection<UInt8>, maximum: Int) -> Int? {
    guard let first = digits.first, digits.count == 1 || first != UInt8(ascii: "0") else { return nil }
    var value = 0
    for digit in digits {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
        value = value * 10 + Int(digit - UInt8(ascii: "0"))
        if value > maximum { return nil }
    }
    return value
}

func hexadecimalDigit(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: nil
    }
}

/// Splits `address/length` at its only slash.
func splitPrefix(_ text: String, maximum: Int) -> (address: Substring, length: Int)? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let length = decimal(parts[1].utf8, maximum: maximum) else { return nil }
    return (parts[0], length)
}
