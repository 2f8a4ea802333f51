/// A request's head as the member gets it.
struct RequestForwarding {
    let rules: HeaderRules
    let appendsForwardedFor: Bool
    /// Whether the member is asked to close the connection after its answer.
    let closesServerConnection: Bool

    func write(
        _ head: RequestHead, _ bytes: UnsafeRawBufferPointer, client: String, into buffer: MessageBuffer
    ) {
        let more = client.utf8.count + (rules.host?.utf8.count ?? 0)
        buffer.writeHead(from: bytes, head.fields, rules, more: more) { out in
            out.put(bytes.part(head.method))
            out.put(" ")
            if head.target.isEmpty {
                // An absolute form without a path: for OPTIONS it means the server as a whole, RFC 9112, 3.2.4.
                out.put(bytes.part(head.method).elementsEqual("OPTIONS".utf8) ? "*" : "/")
            } else {
                out.put(bytes.part(head.target))
            }
            out.put(" HTTP/1.1\r\nHost: ")
            if let host = rules.host {
                out.put(text: host)
            } else if let host = head.authority ?? head.fields.host {
                out.put(bytes.part(host))
            }
            out.put("\r\n")
            let writesForwardedFor = appendsForwardedFor && !rules.drops("x-forwarded-for")
            var forwardedFor: [HeadField] = []
            for field in head.fields.fields where field.kind != .host && !head.fields.endsHere(field, bytes) {
                if rules.drops(bytes.part(field.name)) { continue }
                if field.kind == .forwardedFor, writesForwardedFor {
                    forwardedFor.append(field)
                } else {
                    out.put(field, of: bytes)
                }
            }
            if writesForwardedFor {
                out.put("X-Forwarded-For: ")
                for field in forwardedFor where !field.value.isEmpty {
                    out.put(bytes.part(field.value))
                    out.put(", ")
                }
                out.put(text: client)
                out.put("\r\n")
            }
            if head.fields.isChunked {
                out.put("Transfer-Encoding: chunked\r\n")
            } else if let length = head.fields.contentLength {
                out.put("Content-Length: ")
                out.put(length)
                out.put("\r\n")
            }
            if closesServerConnection { out.put("Connection: close\r\n") }
            out.put(rules)
            out.put("\r\n")
        }
    }
}
