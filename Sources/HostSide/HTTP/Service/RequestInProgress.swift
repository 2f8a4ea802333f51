internal import Appliances
internal import NIOCore

/// A request from its first byte until its answer is complete: what the access log says of it, and what a second
/// attempt needs.
struct RequestInProgress {
    var began = NIODeadline.now()
    /// When a member was chosen.
    var served: NIODeadline?
    var answered: NIODeadline?
    var method = ""
    var uri = ""
    var host: String?
    var userAgent: String?
    var forwardedFor: String?
    var member: PoolMemberConfiguration?
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
    /// Members that were not tried yet.
    var candidates: ArraySlice<PoolMemberConfiguration> = []

    var isHEAD: Bool { method == "HEAD" }

    /// Asking twice does what asking once does: RFC 9110, 9.2.2.
    var isIdempotent: Bool {
        switch method {
        case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE": true
        default: false
        }
    }
}
