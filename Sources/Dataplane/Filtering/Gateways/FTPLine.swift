public import Wire

/// One line of an FTP control connection, as far as it concerns a firewall.
///
/// What is not exactly in the form of its RFC announces nothing.
@usableFromInline
enum FTPLine: Equatable {
    /// PORT and EPRT: the client listens there.
    case port(IPAddress, UInt16)
    case asksForPassive
    case asksForExtendedPassive
    /// 227: the server listens there.
    case passive(IPAddress, UInt16)
    /// 229: the server listens on this port of the address that it was asked at.
    case extendedPassive(UInt16)
    /// A reply from 400 up: what was asked for does not come.
    case failure
    /// An announcement that cannot be read.
    case malformed
    case other

    /// Longest line that is read. Source: RFC 959 names none; commands and replies that announce need less than 100
    @inlinable static var longest: Int { 512 }

    /// A client's line, without its end.
    /// - Parameter version: of the connection; PORT and an EPRT of the other one announce nothing
    /// Source: RFC 959, 4.1.2; RFC 2428, 2 and 3
    @usableFromInline
    init(command line: UnsafeRawBufferPointer, in version: IPVersion) {
        var text = FTPText(line)
        if text.takeWord("PORT") {
            guard version == .ipv4 else {
                self = .other
                return
            }
            self = text.endpoint().flatMap { text.isAtEnd ? .port(.ipv4($0), $1) : nil } ?? .malformed
        } else if text.takeWord("EPRT") {
            self = text.extendedEndpoint(in: version)
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
    @usableFromInline
    init(reply line: UnsafeRawBufferPointer, in version: IPVersion) {
        var text = FTPText(line)
        guard let code = text.number(atMost: 999), text.take(0x20) else {
            // A hyphen in its place: a reply of several lines goes on.
            self = .other
            return
        }
        switch code {
        case 227 where version == .ipv4:
            // No form is prescribed but the six numbers: they begin at the first digit.
            text.skip { !(0x30...0x39).contains($0) }
            self = text.endpoint().map { .passive(.ipv4($0), $1) } ?? .malformed
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
    mutating func endpoint() -> (IPv4Address, UInt16)? {
        var (address, port): (UInt32, UInt16) = (0, 0)
        for place in 0..<6 {
            guard place == 0 || take(0x2c), let value = number(atMost: 255) else { return nil }
            if place < 4 { address = address << 8 | UInt32(value) } else { port = port << 8 | UInt16(value) }
        }
        if let byte = current, byte == 0x2c || (0x30...0x39).contains(byte) { return nil }
        return port == 0 ? nil : (IPv4Address(rawValue: address), port)
    }

    /// `|1|132.235.1.2|6275|`, `|2|1080::8:800:200C:417A|5282|`; an address of another family is none that this
    /// connection could mean.
    mutating func extendedEndpoint(in version: IPVersion) -> FTPLine {
        guard let mark = next(), (33...126).contains(mark), let family = number(atMost: 65_535), take(mark) else {
            return .malformed
        }
        guard family == (version == .ipv4 ? 1 : 2) else { return .other }
        guard let address = version == .ipv4 ? ipv4Address() : ipv6Address(), take(mark),
            let port = number(atMost: 65_535), port > 0, take(mark), isAtEnd
        else { return .malformed }
        return .port(address, UInt16(port))
    }

    private mutating func ipv4Address() -> IPAddress? {
        var address: UInt32 = 0
        for place in 0..<4 {
            guard place == 0 || take(0x2e), let value = number(atMost: 255) else { return nil }
            address = address << 8 | UInt32(value)
        }
        return .ipv4(IPv4Address(rawValue: address))
    }

    /// Groups with at most one gap, and no dotted tail. Source: RFC 4291, 2.2
    private mutating func ipv6Address() -> IPAddress? {
        var groups = InlineArray<8, UInt16>(repeating: 0)
        var (count, gap) = (0, -1)
        if take(0x3a) {
            guard take(0x3a) else { return nil }
            gap = 0
        }
        while count < 8, let group = hexadecimalGroup() {
            groups[count] = group
            count += 1
            guard count < 8, take(0x3a) else { break }
            if take(0x3a) {
                guard gap < 0 else { return nil }
                gap = count
            } else if !(current.map(Self.isHexadecimal) ?? false) {
                return nil
            }
        }
        guard gap >= 0 ? count < 8 : count == 8 else { return nil }
        var (high, low): (UInt64, UInt64) = (0, 0)
        for place in 0..<8 {
            let behind = count - (8 - place)
            let isBeforeGap = gap < 0 || place < gap
            let group = isBeforeGap ? groups[place] : behind >= gap ? groups[behind] : 0
            high = high << 16 | low >> 48
            low = low << 16 | UInt64(group)
        }
        return .ipv6(IPv6Address(high: high, low: low))
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
    }

    /// One to four digits.
    private mutating func hexadecimalGroup() -> UInt16? {
        var (value, digits): (UInt16, Int) = (0, 0)
        while let byte = current, Self.isHexadecimal(byte) {
            guard digits < 4 else { return nil }
            value = value << 4 | UInt16(byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57)
            digits += 1
            offset += 1
        }
        return digits == 0 ? nil : value
    }
}

/// The complete lines of a segment, without their ends; what stands behind the last one is not among them.
@usableFromInline
struct FTPLines {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    @usableFromInline init(_ payload: UnsafeRawBufferPointer) { bytes = payload }

    @usableFromInline
    mutating func next() -> UnsafeRawBufferPointer? {
        var end = offset
        while end < bytes.count, bytes[end] != 0x0a { end += 1 }
        guard end < bytes.count else { return nil }
        let last = end > offset && bytes[end - 1] == 0x0d ? end - 1 : end
        defer { offset = end + 1 }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<last])
    }
}
