/// Names an interface of the namespace in which a request is carried out.
public enum LinkReference: Hashable, Sendable {
    /// 1 … 15 bytes, without blanks and `/`.
    case name(String)
    /// From 1; `lo` is 1 in every namespace.
    case index(Int32)

    public static var loopback: LinkReference { .index(1) }
}

extension LinkReference: ExpressibleByStringLiteral {
    public init(stringLiteral name: String) { self = .name(name) }
}

extension LinkReference: CustomStringConvertible {
    public var description: String {
        switch self {
        case .name(let name): name
        case .index(let index): "#\(index)"
        }
    }
}

/// The kernel's rule for names of interfaces.
public enum InterfaceName {
    /// IFNAMSIZ without the terminating zero.
    public static let maximumLength = 15

    /// What is wrong with a name, for an error message; nil where the kernel accepts it.
    /// Source: `dev_valid_name` in net/core/dev.c
    public static func problem(in name: String) -> String? {
        let bytes = Array(name.utf8)
        if bytes.isEmpty { return "an interface needs a name" }
        if bytes.count > maximumLength {
            return "'\(name)' has \(bytes.count) bytes; the name of an interface has at most \(maximumLength)"
        }
        if name == "." || name == ".." { return "'\(name)' is not allowed as the name of an interface" }
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0d).contains(byte) || byte == 0xa0 }
        if bytes.contains(where: { $0 == 0 || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") || isSpace($0) }) {
            return "'\(name)' has a blank, a '/', a ':' or a zero byte, which no name of an interface may have"
        }
        // Format characters ask the kernel for a free number, as in "eth%d".
        if bytes.contains(UInt8(ascii: "%")) {
            return "'\(name)' has a '%', for which the kernel would put a number of its own"
        }
        return nil
    }
}
