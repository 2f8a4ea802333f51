/// Why an HTTP request was not answered by a member, or not to its end.
public enum HTTPErrorReason: String, Hashable, Sendable, Codable, CaseIterable {
    // 502
    case memberRefused = "member-refused"
    case memberUnreachable = "member-unreachable"
    /// No answer to any SYN.
    case connectTimeout = "connect-timeout"
    case memberReset = "member-reset"
    case memberClosedEarly = "member-closed-early"
    case memberGarbage = "member-garbage"
    // 503
    case noMemberUp = "no-member-up"
    case noSourcePort = "no-source-port"
    // 504
    case responseTimeout = "response-timeout"
    // The client's doing
    case clientHeaderTimeout = "client-header-timeout"
    case clientBodyTimeout = "client-body-timeout"
    case clientClosed = "client-closed"
    case badRequest = "bad-request"
}
