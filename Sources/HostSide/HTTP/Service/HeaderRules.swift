internal import Configuration

/// The header fields that a service removes and sets, made ready for comparing with every field.
struct HeaderRules {
    private let dropped: [[UInt8]]
    fileprivate let written: [UInt8]
    /// The value that Host is set to.
    let host: String?

    init(_ rewriting: HeaderRewriting) {
        let set = rewriting.set.filter { $0.name.lowercased() != "host" }
        host = rewriting.set.last { $0.name.lowercased() == "host" }?.value
        dropped = (rewriting.remove + rewriting.set.map(\.name)).map { Array($0.lowercased().utf8) }
        written = set.flatMap { Array("\($0.name): \($0.value)\r\n".utf8) }
    }

    func drops(_ name: UnsafeRawBufferPointer) -> Bool {
        !dropped.isEmpty && dropped.contains { name.isCaseless($0) }
    }
}

extension WrittenText {
    fileprivate mutating func put(_ field: HeadField, of bytes: UnsafeRawBufferPointer) {
        let (start, end) = (field.name.upperBound, field.value.upperBound)
        // As nearly every sender writes it, and as it leaves.
        if field.value.lowerBound == start + 2, bytes[start + 1] == HTTPCharacters.space,
            bytes[end] == HTTPCharacters.cr
        {
            return put(bytes.part(field.name.lowerBound..<end + 2))
        }
        put(bytes.part(field.name))
        put(": ")
        put(bytes.part(field.value))
        put("\r\n")
    }

    fileprivate mutating func put(_ rules: HeaderRules) { rules.written.withUnsafeBytes { put($0) } }
}

extension MessageBuffer {
    /// Writes a head that takes over fields of another one: besides what that has, up to a byte a field, the rules' fields,
    /// `more`, and framing and version, which are shorter than 192 bytes.
    fileprivate func writeHead(
        from bytes: UnsafeRawBufferPointer, _ fields: HeadFields, _ rules: HeaderRules, more: Int,
        _ body: (inout WrittenText) -> Void
    ) {
        let most = bytes.count + 2 * fields.fields.count + rules.written.count + more + 192
        write(upTo: most) { memory in
            var out = WrittenText(memory)
            body(&out)
            return out.count
        }
    }
}

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

extension HeaderRules {
    func drops(_ name: StaticString) -> Bool {
        drops(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }
}

/// How an answer's body is delimited towards the client.
enum AnswerFraming: Hashable {
    case none
    case length
    case chunked
    case untilClose
}

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
