/// A response's head as the client gets it.
struct ResponseForwarding {
    let rules: HeaderRules

    func write(
        _ head: ResponseHead, _ bytes: UnsafeRawBufferPointer, framing: AnswerFraming, connection: StaticString?,
        into buffer: MessageBuffer
    ) {
        buffer.writeHead(from: bytes, head.fields, rules, more: 0) { out in
            out.put("HTTP/1.1 ")
            out.put(head.status)
            out.put(" ")
            out.put(bytes.part(head.reason))
            out.put("\r\n")
            for field in head.fields.fields
            where !head.fields.endsHere(field, bytes) && !rules.drops(bytes.part(field.name)) {
                out.put(field, of: bytes)
            }
            // The length also of answers without a body (HEAD, 304), where it says what a body would measure.
            if let length = head.fields.contentLength, framing == .length || framing == .none, head.status >= 200,
                head.status != 204
            {
                out.put("Content-Length: ")
                out.put(length)
                out.put("\r\n")
            } else if framing == .chunked {
                out.put("Transfer-Encoding: chunked\r\n")
            }
            if let connection {
                out.put("Connection: ")
                out.put(connection)
                out.put("\r\n")
            }
            if head.status >= 200 { out.put(rules) }
            out.put("\r\n")
        }
    }
}
