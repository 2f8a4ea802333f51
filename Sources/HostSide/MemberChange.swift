/// A health monitor's verdict about a member, when it changes.
public struct MemberChange: Hashable, Sendable {
    /// Name of the virtual service.
    public var service: String
    /// Name of the member.
    public var member: String
    public var isUp: Bool
    /// The last answer of the monitor, in words: `status 503`, `connection refused`.
    public var reason: String

    public init(service: String, member: String, isUp: Bool, reason: String) {
        self.service = service
        self.member = member
        self.isUp = isUp
        self.reason = reason
    }
}
