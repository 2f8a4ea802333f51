import LabEvents

/// A request's head, by places among its bytes; read strictly, so that no other reader can take it for another.
struct RequestHead {
    var method: Range<Int>
    /// Path and query, or `*`.
    var target: Range<Int>
    /// The authority of a target in absolute form; it counts before Host: RFC 9112, 3.2.2.
    var authority: Range<Int>?
    var fields: HeadFields

    /// - Parameter bytes: as far as the scanner says
    init(_ bytes: UnsafeRawBufferPointer, mostFields: Int) throws(MessageFault) {
        var position = 0
        while HTTPCharacters.isToken(bytes[position]) { position += 1 }
        guard position > 0, position <= 32, bytes[position] == HTTPCharacters.space else { throw .malformedRequestLine }
        method = 0..<position
        position += 1
        let start = position
        while HTTPCharacters.isTarget(bytes[position]) { position += 1 }
        guard position > start, bytes[position] == HTTPCharacters.space else { throw .malformedRequestLine }
        let whole = start..<position
        position += 1
        let version = try Self.version(bytes, position)
        position += 8
        guard bytes[position] == HTTPCharacters.cr else { throw .malformedRequestLine }
        guard bytes[position + 1] == HTTPCharacters.lf else { throw .bareLineEnding }
        (target, authority) = try Self.target(whole, bytes, method: bytes.part(method))
        fields = try HeadFields(bytes, from: position + 2, minorVersion: version, most: mostFields)

        if let host = fields.host {
            guard Self.isAuthority(bytes.part(host)) else { throw .malformedHost }
        } else if version == 1 {
            throw .missingHost
        }
        if let expects = fields.expects, !bytes.part(expects).isCaseless("100-continue") {
            throw .unsupportedExpectation
        }
    }

    /// `HTTP/1.` and a digit, anything above 1 being as good as 1: RFC 9110, 2.5.
    static func version(_ bytes: UnsafeRawBufferPointer, _ position: Int) throws(MessageFault) -> Int {
        guard bytes.count >= position + 10, bytes.part(position..<position + 5).elementsEqual("HTTP/".utf8),
            HTTPCharacters.isDigit(bytes[position + 5]), bytes[position + 6] == UInt8(ascii: "."),
            HTTPCharacters.isDigit(bytes[position + 7])
        else { throw .malformedRequestLine }
        guard bytes[position + 5] == UInt8(ascii: "1") else { throw .unsupportedVersion }
        return bytes[position + 7] == UInt8(ascii: "0") ? 0 : 1
    }

    private static func target(
        _ whole: Range<Int>, _ bytes: UnsafeRawBufferPointer, method: UnsafeRawBufferPointer
    ) throws(MessageFault) -> (Range<Int>, authority: Range<Int>?) {
        // A tunnel is nothing that a balancer of requests could balance.
        if method.elementsEqual("CONNECT".utf8) { throw .unsupportedMethod }
        if bytes[whole.lowerBound] == UInt8(ascii: "/") { return (whole, nil) }
        if whole.count == 1, bytes[whole.lowerBound] == UInt8(ascii: "*"), method.elementsEqual("OPTIONS".utf8) {
            return (whole, nil)
        }
        guard whole.count > 7, bytes.part(whole.lowerBound..<whole.lowerBound + 7).isCaseless("http://") else {
            throw .malformedRequestLine
        }
        let start = whole.lowerBound + 7
        var end = start
        while end < whole.upperBound, bytes[end] != UInt8(ascii: "/"), bytes[end] != UInt8(ascii: "?") { end += 1 }
        guard end > start, isAuthority(bytes.part(start..<end)) else { throw .malformedHost }
        // `http://a?b` has an empty path, which only a written `/` can stand for.
        guard end == whole.upperBound || bytes[end] == UInt8(ascii: "/") else { throw .malformedRequestLine }
        return (end..<whole.upperBound, start..<end)
    }

    /// A host, with a port or not: no user, no path, no list.
    static func isAuthority(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-._~%!$&'()*+;=:[]".utf8.contains(byte)
            }
        }
    }
}
