import LabEvents

/// A response's head, by places among its bytes.
struct ResponseHead {
    var status: Int
    /// Without the status; may be empty.
    var reason: Range<Int>
    var fields: HeadFields

    init(_ bytes: UnsafeRawBufferPointer, mostFields: Int) throws(MessageFault) {
        let version: Int
        do throws(MessageFault) {
            version = try RequestHead.version(bytes, 0)
        } catch {
            throw .malformedStatusLine
        }
        guard bytes.count >= 14, bytes[8] == HTTPCharacters.space, let status = bytes.part(9..<12).decimal,
            (100...599).contains(status)
        else { throw .malformedStatusLine }
        self.status = status
        var position = 12
        // The blank is not optional; servers that leave it out say no more than the status anyway.
        if bytes[position] == HTTPCharacters.space { position += 1 }
        let start = position
        if start > 12 { while HTTPCharacters.isFieldValue(bytes[position]) { position += 1 } }
        guard bytes[position] == HTTPCharacters.cr else { throw .malformedStatusLine }
        guard bytes[position + 1] == HTTPCharacters.lf else { throw .bareLineEnding }
        reason = start..<position
        fields = try HeadFields(bytes, from: position + 2, minorVersion: version, most: mostFields)
    }

    /// How its body is delimited: RFC 9112, 6.3.
    func framing(toHEAD isHEAD: Bool) -> BodyDecoder.Framing {
        if isHEAD || status == 204 || status == 304 || status < 200 { return .none }
        if fields.isChunked { return .chunked }
        if let length = fields.contentLength { return length == 0 ? .none : .length(length) }
        return .untilClose
    }
}
