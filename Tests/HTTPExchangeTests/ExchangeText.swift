import LabTime

@testable import HTTPExchange

/// Bytes, times and phases as scripts write them.
enum ExchangeText {
    /// `GET / HTTP/1.1\r\n`; longer than 120 characters, only its beginning and its length.
    static func escaped(_ bytes: [UInt8]) -> String {
        let shown = bytes.count > 400 ? Array(bytes.prefix(20)) : bytes
        let text = shown.map { byte -> String in
            switch byte {
            case UInt8(ascii: "\r"): "\\r"
            case UInt8(ascii: "\n"): "\\n"
            case UInt8(ascii: "\\"): "\\\\"
            case 32..<127: String(UnicodeScalar(byte))
            default: "\\x" + String(UInt16(byte) + 0x100, radix: 16).dropFirst()
            }
        }.joined()
        return text + (bytes.count > 400 ? "… (\(bytes.count) bytes)" : "")
    }

    /// The bytes of `GET / HTTP/1.1\r\n`, and of `[x*9000]`: a letter so many times.
    static func bytes(_ text: String) -> [UInt8] {
        var (bytes, rest) = ([UInt8](), text[...])
        while let first = rest.popFirst() {
            if first == "\\", let escaped = rest.popFirst() {
                bytes.append(escaped == "r" ? 13 : escaped == "n" ? 10 : escaped.asciiValue ?? 63)
            } else if first == "[", let end = rest.firstIndex(of: "]"), let star = rest[..<end].firstIndex(of: "*") {
                let letter = rest.first?.asciiValue ?? 63
                bytes += [UInt8](repeating: letter, count: Int(rest[rest.index(after: star)..<end]) ?? 0)
                rest = rest[rest.index(after: end)...]
            } else {
                bytes += Array(String(first).utf8)
            }
        }
        return bytes
    }

    static func shown(_ text: String) -> String { text.isEmpty ? "-" : text }

    static func milliseconds(_ duration: Duration) -> String { "\(duration.nanoseconds / 1_000_000)ms" }
}

extension Exchange {
    var phaseName: String {
        switch phase {
        case .idle: "idle"
        case .head: "head"
        case .connecting: "connecting"
        case .exchanging(_, .awaited): "exchanging, answer awaited"
        case .exchanging(_, .body): "exchanging, answer begun"
        case .closing(.draining): "closing, draining"
        case .closing(.lingering): "closing, lingering"
        case .closed: "closed"
        }
    }
}
