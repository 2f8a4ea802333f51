public import Wire

/// Reads from a session's first payload which application it is, and the name that the client asks for: HTTP's Host
/// (RFC 9112, 3.2), TLS's server name (RFC 6066, 3), the name of DNS's question (RFC 1035, 4.1.2).
///
/// It looks at one packet and no further than `reach`. A name that does not end there, or has a byte that no host name
/// has, is no name; the application still counts.
/// - Complexity: linear in the bytes that it looks at, no allocation
public struct ApplicationReader {
    /// Bytes of a payload that are looked at, at most.
    public static let reach = 2048
    /// The longest host name. Source: RFC 1035, 2.3.4
    public static let longestName = 253

    public struct Reading: Hashable, Sendable {
        public var application: Application
        /// Bytes of the name; 0 where there is none.
        public var nameLength: Int
    }

    private let bytes: UnsafeRawBufferPointer
    private let name: UnsafeMutableRawBufferPointer
    private var nameLength = 0

    /// - Parameters:
    ///   - payload: behind the transport header of a packet from the session's originator
    ///   - port: that the packet is for
    ///   - name: where the name is written, in lower case with dots: `longestName` bytes
    public static func read(
        _ payload: UnsafeRawBufferPointer, _ proto: IPProtocol, to port: UInt16, name: UnsafeMutableRawBufferPointer
    ) -> Reading {
        precondition(name.count >= longestName)
        var reader = ApplicationReader(
            bytes: UnsafeRawBufferPointer(rebasing: payload.prefix(reach)), name: name)
        let application = reader.application(proto, to: port)
        return Reading(application: application, nameLength: reader.nameLength)
    }

    private init(bytes: UnsafeRawBufferPointer, name: UnsafeMutableRawBufferPointer) {
        self.bytes = bytes
        self.name = name
    }

    private mutating func application(_ proto: IPProtocol, to port: UInt16) -> Application {
        if proto == .udp { return port == 53 && readQuestion(at: 0) ? .dns : .other }
        guard proto == .tcp else { return .other }
        // RFC 1035, 4.2.2: over TCP a length comes first.
        if port == 53, readQuestion(at: 2) { return .dns }
        if isRequestLine {
            readHost()
            return .http
        }
        if readClientHello() { return .tls }
        return starts(with: "SSH-2.0-") || starts(with: "SSH-1.99-") ? .ssh : .other
    }

    private func starts(with text: StaticString) -> Bool {
        guard bytes.count >= text.utf8CodeUnitCount else { return false }
        for index in 0..<text.utf8CodeUnitCount where bytes[index] != text.utf8Start[index] { return false }
        return true
    }

    /// - Returns: nil beyond the end
    private func number(at offset: Int, bytes count: Int) -> Int? {
        guard offset >= 0, offset + count <= bytes.count else { return nil }
        var value = 0
        for index in offset..<(offset + count) { value = value << 8 | Int(bytes[index]) }
        return value
    }

    // MARK: Names

    /// Takes one byte of a name. False where it is none, or the name is too long: then there is no name.
    private mutating func append(_ byte: UInt8) -> Bool {
        let lower = (0x41...0x5a).contains(byte) ? byte | 0x20 : byte
        let isName =
            (0x61...0x7a).contains(lower) || (0x30...0x39).contains(lower) || lower == 0x2d || lower == 0x2e
            || lower == 0x5f
        guard isName, nameLength < Self.longestName else {
            nameLength = 0
            return false
        }
        name[nameLength] = lower
        nameLength += 1
        return true
    }

    // MARK: HTTP

    private static let methods: [StaticString] = [
        "GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE ",
    ]

    private var isRequestLine: Bool {
        for method in Self.methods where starts(with: method) { return true }
        return false
    }

    private mutating func readHost() {
        let field: StaticString = "\nhost:"
        let length = field.utf8CodeUnitCount
        var offset = 0
        while offset + length <= bytes.count {
            var matched = 0
            while matched < length {
                let byte = bytes[offset + matched]
                guard ((0x41...0x5a).contains(byte) ? byte | 0x20 : byte) == field.utf8Start[matched] else { break }
                matched += 1
            }
            if matched == length { return readHostValue(at: offset + length) }
            // An empty line ends the head: what follows is not a field.
            if bytes[offset] == 0x0a, offset + 2 < bytes.count, bytes[offset + 1] == 0x0d, bytes[offset + 2] == 0x0a {
                return
            }
            offset += 1
        }
    }

    private mutating func readHostValue(at start: Int) {
        var offset = start
        while offset < bytes.count, bytes[offset] == 0x20 || bytes[offset] == 0x09 { offset += 1 }
        while offset < bytes.count {
            // A port, white space or the line's end.
            switch bytes[offset] {
            case 0x3a, 0x20, 0x09, 0x0d, 0x0a: return
            case let byte:
                guard append(byte) else { return }
                offset += 1
            }
        }
        // Cut off: more of it may come in the next packet.
        nameLength = 0
    }

    // MARK: TLS

    /// Source: RFC 8446, 5.1 and 4.1.2
    private mutating func readClientHello() -> Bool {
        // Record: handshake, 3.x, length; message: ClientHello.
        guard number(at: 0, bytes: 1) == 22, number(at: 1, bytes: 1) == 3, number(at: 5, bytes: 1) == 1 else {
            return false
        }
        // Behind record head (5), message head (4), version (2) and random (32): the session identifier.
        var offset = 5 + 4 + 2 + 32
        guard let session = number(at: offset, bytes: 1) else { return true }
        offset += 1 + session
        guard let suites = number(at: offset, bytes: 2) else { return true }
        offset += 2 + suites
        guard let compressions = number(at: offset, bytes: 1) else { return true }
        offset += 1 + compressions
        guard let extensions = number(at: offset, bytes: 2) else { return true }
        offset += 2
        let end = min(bytes.count, offset + extensions)
        while offset + 4 <= end, let type = number(at: offset, bytes: 2), let length = number(at: offset + 2, bytes: 2)
        {
            if type == 0 {
                readServerName(at: offset + 4, end: min(end, offset + 4 + length))
                return true
            }
            offset += 4 + length
        }
        return true
    }

    /// A list: length (2), then type (1) = 0 for a host name, length (2), name.
    private mutating func readServerName(at offset: Int, end: Int) {
        guard number(at: offset + 2, bytes: 1) == 0, let length = number(at: offset + 3, bytes: 2),
            offset + 5 + length <= end
        else { return }
        for index in 0..<length where !append(bytes[offset + 5 + index]) { return }
    }

    // MARK: DNS

    /// - Returns: whether a query with a question stands at `start`
    private mutating func readQuestion(at start: Int) -> Bool {
        // A standard query: QR and opcode zero, no answers.
        guard let flags = number(at: start + 2, bytes: 2), flags & 0xf800 == 0,
            number(at: start + 4, bytes: 2) == 1, number(at: start + 6, bytes: 2) == 0
        else { return false }
        var offset = start + 12
        while let label = number(at: offset, bytes: 1) {
            if label == 0 { return true }
            // A question's name is never compressed: nothing stands before it.
            guard label < 64, offset + 1 + label <= bytes.count else { break }
            if nameLength > 0, !append(0x2e) { break }
            for index in 1...label where !append(bytes[offset + index]) { return true }
            offset += 1 + label
        }
        nameLength = 0
        return false
    }
}
