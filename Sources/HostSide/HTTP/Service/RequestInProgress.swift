internal import EventLoop
internal import LabTime

/// What a request's head says, as the access log tells it.
struct RequestTexts {
    var method = ""
    var uri = ""
    var host: String?
    var userAgent: String?
    var forwardedFor: String?

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
}

/// A request from its first byte until its answer is complete: what the access log says of it, and what a second
/// attempt needs.
struct RequestInProgress {
    var began = Instant.monotonic()
    /// When a member was chosen.
    var served: Instant?
    var texts = RequestTexts()
    /// The member that is asked, by its place in the pool.
    var member: Int?
    /// The first one that was chosen; the others follow around the pool.
    var firstMember: Int?
    var source: SourceEndpoint?
    var status = 0
    var responseSize = 0

    /// The head as it goes to the member; there while one is asked.
    var head: MessageBuffer?
    var hasBody = false
    var isChunked = false
    /// Whether the client may send another request on its connection.
    var keepsClient = true
    /// HTTP/1.1 or later: knows chunked bodies and interim answers.
    var isModern = true
    var hasTriedAgain = false

    var isHEAD: Bool { texts.method == "HEAD" }

    /// Asking twice does what asking once does: RFC 9110, 9.2.2.
    var isIdempotent: Bool {
        switch texts.method {
        case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE": true
        default: false
        }
    }
}
