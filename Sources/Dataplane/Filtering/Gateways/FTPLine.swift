import Wire

/// One line of an FTP control connection, as far as it concerns a firewall.
///
/// What is not exactly in the form of its RFC announces nothing.
enum FTPLine: Equatable {
    /// PORT and EPRT: the client listens there.
    case port(NATEndpoint)
    case asksForPassive
    case asksForExtendedPassive
    /// 227: the server listens there.
    case passive(NATEndpoint)
    /// 229: the server listens on this port of the address that it was asked at.
    case extendedPassive(UInt16)
    /// A reply from 400 up: what was asked for does not come.
    case failure
    /// An announcement that cannot be read.
    case malformed
    case other

    /// Longest line that is read. Source: RFC 959 names none; commands and replies that announce need less than 100
    static let longest = 512

    /// A client's line, without its end.
    /// Source: RFC 959, 4.1.2; RFC 2428, 2 and 3
    init(command line: UnsafeRawBufferPointer) {
        var text = FTPText(line)
        if text.takeWord("PORT") {
            self = text.endpoint().flatMap { text.isAtEnd ? .port($0) : nil } ?? .malformed
        } else if text.takeWord("EPRT") {
            self = text.extendedEndpoint()
        } else if text.takeWord("PASV") {
            self = .asksForPassive
        } else if text.takeWord("EPSV") {
            // EPSV ALL only promises that no other form comes.
            self = text.takeWord("ALL") ? .other : .asksForExtendedPassive
        } else {
            self = .other
        }
    }

    /// A server's line, without its end.
    /// Source: RFC 959, 4.2; RFC 1123, 4.1.2.6; RFC 2428, 3
    init(reply line: UnsafeRawBufferPointer) {
        var text = FTPText(line)
        guard let code = text.number(atMost: 999), text.take(0x20) else {
            // A hyphen in its place: a reply of several lines goes on.
            self = .other
            return
        }
        switch code {
        case 227:
            // No form is prescribed but the six numbers: they begin at the first digit.
            text.skip { !(0x30...0x39).contains($0) }
            self = text.endpoint().map { .passive($0) } ?? .malformed
        case 229:
            text.skip { $0 != 0x28 }
            guard text.take(0x28), let mark = text.next(), (33...126).contains(mark), text.take(mark), text.take(mark),
                let port = text.number(atMost: 65_535), port > 0, text.take(mark), text.take(0x29)
            else {
                self = .malformed
                return
            }
            self = .extendedPassive(UInt16(port))
        case 400...: self = .failure
        default: self = .other
        }
    }
}

/// Reads a line from its beginning; nothing is read beyond it.
private struct FTPText {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }
    private var current: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    mutating func next() -> UInt8? {
        guard let byte = current else { return nil }
        offset += 1
        return byte
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        offset += 1
        return true
    }

    mutating func skip(while isSkipped: (UInt8) -> Bool) {
        while let byte = current, isSkipped(byte) { offset += 1 }
    }

    /// A word in any case, and the blank behind it or the end.
    mutating func takeWord(_ word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard bytes.count - offset >= length else { return false }
        for index in 0..<length where bytes[offset + index] & 0xdf != word.utf8Start[index] { return false }
        guard bytes.count == offset + length || bytes[offset + length] == 0x20 else { return false }
        offset = min(bytes.count, offset + length + 1)
        return true
    }

    /// Decimal digits, at most five.
    mutating func number(atMost limit: Int) -> Int? {
        var (value, digits) = (0, 0)
        while let byte = current, (0x30...0x39).contains(byte) {
            value = value * 10 + Int(byte - 0x30)
            digits += 1
            offset += 1
            guard digits <= 5, value <= limit else { return nil }
        }
        return digits == 0 ? nil : value
    }

    /// `h1,h2,h3,h4,p1,p2`, behind which no further digit or comma stands.
    mutating func endpoint() -> NATEndpoint? {
        var (address, port): (UInt32, UInt16) = (0, 0)
        for place in 0..<6 {
            guard place == 0 || take(0x2c), let value = number(atMost: 255) else { return nil }
            if place < 4 { address = address << 8 | UInt32(value) } else { port = port << 8 | UInt16(value) }
        }
        if let byte = current, byte == 0x2c || (0x30...0x39).contains(byte) { return nil }
        return port == 0 ? nil : NATEndpoint(IPv4Address(rawValue: address), port)
    }

    /// `|1|132.235.1.2|6275|`; an address of another family is none that this connection could mean.
    mutating func extendedEndpoint() -> FTPLine {
        guard let mark = next(), (33...126).contains(mark), let family = number(atMost: 65_535), take(mark) else {
            return .malformed
        }
        guard family == 1 else { return .other }
        var address: UInt32 = 0
        for place in 0..<4 {
            guard place == 0 || take(0x2e), let value = number(atMost: 255) else { return .malformed }
            address = address << 8 | UInt32(value)
        }
        guard take(mark), let port = number(atMost: 65_535), port > 0, take(mark), isAtEnd else { return .malformed }
        return .port(NATEndpoint(IPv4Address(rawValue: address), UInt16(port)))
    }
}

/// The complete lines of a segment, without their ends; what stands behind the last one is not among them.
struct FTPLines {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ payload: UnsafeRawBufferPointer) { bytes = payload }

    mutating func next() -> UnsafeRawBufferPointer? {
        var end = offset
        while end < bytes.count, bytes[end] != 0x0a { end += 1 }
        guard end < bytes.count else { return nil }
        let last = end > offset && bytes[end - 1] == 0x0d ? end - 1 : end
        defer { offset = end + 1 }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<last])
    }
}
