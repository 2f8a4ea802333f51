import LabEvents

/// The fields that the balancer itself reads or writes.
enum FieldName: UInt8 {
    case other, host, contentLength, transferEncoding, connection, keepAlive, proxyConnection, te, trailer, upgrade
    case expect, forwardedFor, userAgent

    init(_ name: UnsafeRawBufferPointer) {
        switch name.count {
        case 2 where name.isCaseless("te"): self = .te
        case 4 where name.isCaseless("host"): self = .host
        case 6 where name.isCaseless("expect"): self = .expect
        case 7 where name.isCaseless("trailer"): self = .trailer
        case 7 where name.isCaseless("upgrade"): self = .upgrade
        case 10 where name.isCaseless("connection"): self = .connection
        case 10 where name.isCaseless("keep-alive"): self = .keepAlive
        case 10 where name.isCaseless("user-agent"): self = .userAgent
        case 14 where name.isCaseless("content-length"): self = .contentLength
        case 15 where name.isCaseless("x-forwarded-for"): self = .forwardedFor
        case 16 where name.isCaseless("proxy-connection"): self = .proxyConnection
        case 17 where name.isCaseless("transfer-encoding"): self = .transferEncoding
        default: self = .other
        }
    }

    /// Means something to this connection only, or is written anew: RFC 9110, 7.6.1.
    var isHopByHop: Bool {
        switch self {
        case .contentLength, .transferEncoding, .connection, .keepAlive, .proxyConnection, .te, .trailer, .upgrade: true
        case .other, .host, .expect, .forwardedFor, .userAgent: false
        }
    }
}

/// A field of a head, by its place among the head's bytes; the value without the blanks around it.
struct HeadField {
    var kind: FieldName
    var name: Range<Int>
    var value: Range<Int>
}

/// What the fields of a head say, where it matters for passing the message on.
struct HeadFields {
    private(set) var fields: ContiguousArray<HeadField> = []
    /// 1 for HTTP/1.1, 0 for HTTP/1.0
    private(set) var minorVersion: Int
    private(set) var host: Range<Int>?
    private(set) var contentLength: Int?
    private(set) var isChunked = false
    private(set) var asksClose = false
    private(set) var asksKeepAlive = false
    /// Further names in Connection: fields that end here.
    private(set) var namedByConnection: [Range<Int>] = []
    private(set) var expects: Range<Int>?

    /// - Parameters:
    ///   - bytes: the whole head
    ///   - start: where the line behind the start line begins
    init(_ bytes: UnsafeRawBufferPointer, from start: Int, minorVersion: Int, most: Int) throws(MessageFault) {
        self.minorVersion = minorVersion
        fields.reserveCapacity(16)
        var position = start
        // The head ends in CRLF CRLF, and each LF in it follows a CR: the scanner has seen to that.
        while bytes[position] != HTTPCharacters.cr {
            guard fields.count < most else { throw .tooManyFields }
            try add(Self.field(bytes, &position), bytes)
        }
        guard position == bytes.count - 2 else { throw .bareLineEnding }
        if isChunked || transferEncodings > 0 {
            if contentLength != nil { throw .lengthAndCoding }
            if minorVersion == 0 { throw .codingInHTTP10 }
        }
    }

    private var transferEncodings = 0

    private static func field(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) throws(MessageFault) -> HeadField
    {
        let start = position
        if bytes[start] == HTTPCharacters.space || bytes[start] == HTTPCharacters.tab { throw .foldedField }
        while HTTPCharacters.isToken(bytes[position]) { position += 1 }
        guard position > start, bytes[position] == UInt8(ascii: ":") else { throw .malformedField }
        let name = start..<position
        position += 1
        while bytes[position] == HTTPCharacters.space || bytes[position] == HTTPCharacters.tab { position += 1 }
        var end = position
        let valueStart = position
        while HTTPCharacters.isFieldValue(bytes[position]) {
            position += 1
            if bytes[position - 1] != HTTPCharacters.space, bytes[position - 1] != HTTPCharacters.tab { end = position }
        }
        guard bytes[position] == HTTPCharacters.cr else { throw .malformedField }
        guard bytes[position + 1] == HTTPCharacters.lf else { throw .bareLineEnding }
        position += 2
        return HeadField(kind: FieldName(bytes.part(name)), name: name, value: valueStart..<end)
    }

    private mutating func add(_ field: HeadField, _ bytes: UnsafeRawBufferPointer) throws(MessageFault) {
        fields.append(field)
        let value = bytes.part(field.value)
        switch field.kind {
        case .host:
            guard host == nil else { throw .severalHosts }
            host = field.value
        case .contentLength:
            // A list of equal lengths is allowed to be taken for one; refusing it leaves nothing to interpretation.
            guard contentLength == nil else { throw .severalLengths }
            guard let length = value.decimal else { throw value.contains(0x2C) ? .severalLengths : .malformedLength }
            contentLength = length
        case .transferEncoding:
            transferEncodings += 1
            guard transferEncodings == 1, value.isCaseless("chunked") else { throw .unsupportedCoding }
            isChunked = true
        case .connection: readConnection(field.value, bytes)
        case .expect: expects = field.value
        default: break
        }
    }

    private mutating func readConnection(_ range: Range<Int>, _ bytes: UnsafeRawBufferPointer) {
        var start = range.lowerBound
        while start < range.upperBound {
            var end = start
            while end < range.upperBound, bytes[end] != UInt8(ascii: ",") { end += 1 }
            var option = start..<end
            while let first = option.first, bytes[first] <= 32 { option = first + 1..<option.upperBound }
            while let last = option.last, bytes[last] <= 32 { option = option.lowerBound..<last }
            let word = bytes.part(option)
            if word.isCaseless("close") {
                asksClose = true
            } else if word.isCaseless("keep-alive") {
                asksKeepAlive = true
            } else if !word.isEmpty {
                namedByConnection.append(option)
            }
            start = end + 1
        }
    }

    /// Whether a field that Connection names is one that a sender must not be able to take away.
    func endsHere(_ field: HeadField, _ bytes: UnsafeRawBufferPointer) -> Bool {
        if field.kind.isHopByHop { return true }
        guard field.kind == .other || field.kind == .expect, !namedByConnection.isEmpty else { return false }
        let name = bytes.part(field.name)
        return namedByConnection.contains { option in
            let word = bytes.part(option)
            guard word.count == name.count else { return false }
            return zip(word, name).allSatisfy { a, b in
                (a &- 0x41 < 26 ? a | 0x20 : a) == (b &- 0x41 < 26 ? b | 0x20 : b)
            }
        }
    }

    var staysOpen: Bool { minorVersion == 1 ? !asksClose : asksKeepAlive && !asksClose }
}
