/// What a request's head states, as the access log has it.
package struct RequestTexts: Hashable, Sendable {
    package var method = ""
    package var uri = ""
    package var host: String?
    package var userAgent: String?
    package var forwardedFor: String?

    /// - Parameter known: texts of another request, from which those that are the same are taken
    mutating func take(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer, knowing known: RequestTexts) {
        method = bytes.text(head.method, unlessIn: known.method)
        uri = bytes.text(head.target, unlessIn: known.uri)
        host = (head.authority ?? head.fields.host).map { bytes.text($0, unlessIn: known.host) }
        for field in head.fields.fields {
            if field.kind == .userAgent { userAgent = bytes.text(field.value, unlessIn: known.userAgent) }
            if field.kind == .forwardedFor {
                let text = bytes.text(field.value)
                forwardedFor = forwardedFor.map { $0 + ", " + text } ?? text
            }
        }
    }

    var isHEAD: Bool { method == "HEAD" }

    /// Asking twice does what asking once does: RFC 9110, 9.2.2.
    var isIdempotent: Bool {
        switch method {
        case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE": true
        default: false
        }
    }
}
