internal import Appliances
internal import NIOCore

/// What a request's head says, as the access log tells it.
struct RequestTexts {
    var method = ""
    var uri = ""
    var host: String?
    var userAgent: String?
    var forwardedFor: String?
}

/// A request from its first byte until its answer is complete: what the access log says of it, and what a second
/// attempt needs.
struct RequestInProgress {
    var began = NIODeadline.now()
    /// When a member was chosen.
    var served: NIODeadline?
    var texts = RequestTexts()
    /// The member that is asked, by its place in the pool.
    var member: Int?
    /// The first one that was chosen; the others follow around the pool.
    var firstMember: Int?
    var source: SourceEndpoint?
    var status = 0
    var responseSize = 0

    /// The head as it goes to the member.
    var head = ByteBuffer()
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
