internal import Appliances
internal import NIOCore

/// The header fields that a service removes and sets, made ready for comparing with every field.
struct HeaderRules {
    private let dropped: [[UInt8]]
    private let written: [UInt8]
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

    func write(into buffer: inout ByteBuffer) {
        if !written.isEmpty { buffer.writeBytes(written) }
    }
}

extension ByteBuffer {
    mutating func write(_ field: HeadField, of bytes: UnsafeRawBufferPointer) {
        writeBytes(bytes.part(field.name))
        writeStaticString(": ")
        writeBytes(bytes.part(field.value))
        writeStaticString("\r\n")
    }
}

/// A request's head as the member gets it.
struct RequestForwarding {
    let rules: HeaderRules
    let appendsForwardedFor: Bool
    /// Whether the member is asked to close the connection after its answer.
    let closesServerConnection: Bool

    func write(
        _ head: RequestHead, _ bytes: UnsafeRawBufferPointer, client: String, into buffer: inout ByteBuffer
    ) {
        buffer.writeBytes(bytes.part(head.method))
        buffer.writeStaticString(" ")
        if head.target.isEmpty {
            // An absolute form without a path: for OPTIONS it means the server as a whole, RFC 9112, 3.2.4.
            buffer.writeString(bytes.part(head.method).elementsEqual("OPTIONS".utf8) ? "*" : "/")
        } else {
            buffer.writeBytes(bytes.part(head.target))
        }
        buffer.writeStaticString(" HTTP/1.1\r\nHost: ")
        if let host = rules.host {
            buffer.writeString(host)
        } else if let host = head.authority ?? head.fields.host {
            buffer.writeBytes(bytes.part(host))
        }
        buffer.writeStaticString("\r\n")
        let writesForwardedFor = appendsForwardedFor && !rules.drops("x-forwarded-for")
        var forwardedFor: [HeadField] = []
        for field in head.fields.fields where field.kind != .host && !head.fields.endsHere(field, bytes) {
            if rules.drops(bytes.part(field.name)) { continue }
            if field.kind == .forwardedFor, writesForwardedFor {
                forwardedFor.append(field)
            } else {
                buffer.write(field, of: bytes)
            }
        }
        if writesForwardedFor {
            buffer.writeStaticString("X-Forwarded-For: ")
            for field in forwardedFor where !field.value.isEmpty {
                buffer.writeBytes(bytes.part(field.value))
                buffer.writeStaticString(", ")
            }
            buffer.writeString(client)
            buffer.writeStaticString("\r\n")
        }
        if head.fields.isChunked {
            buffer.writeStaticString("Transfer-Encoding: chunked\r\n")
        } else if let length = head.fields.contentLength {
            buffer.writeStaticString("Content-Length: ")
            buffer.writeString(String(length))
            buffer.writeStaticString("\r\n")
        }
        if closesServerConnection { buffer.writeStaticString("Connection: close\r\n") }
        rules.write(into: &buffer)
        buffer.writeStaticString("\r\n")
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
        into buffer: inout ByteBuffer
    ) {
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeString(String(head.status))
        buffer.writeStaticString(" ")
        buffer.writeBytes(bytes.part(head.reason))
        buffer.writeStaticString("\r\n")
        for field in head.fields.fields
        where !head.fields.endsHere(field, bytes) && !rules.drops(bytes.part(field.name)) {
            buffer.write(field, of: bytes)
        }
        // The length also of answers without a body (HEAD, 304), where it says what a body would measure.
        if let length = head.fields.contentLength, framing == .length || framing == .none, head.status >= 200,
            head.status != 204
        {
            buffer.writeStaticString("Content-Length: ")
            buffer.writeString(String(length))
            buffer.writeStaticString("\r\n")
        } else if framing == .chunked {
            buffer.writeStaticString("Transfer-Encoding: chunked\r\n")
        }
        if let connection {
            buffer.writeStaticString("Connection: ")
            buffer.writeStaticString(connection)
            buffer.writeStaticString("\r\n")
        }
        if head.status >= 200 { rules.write(into: &buffer) }
        buffer.writeStaticString("\r\n")
    }
}
