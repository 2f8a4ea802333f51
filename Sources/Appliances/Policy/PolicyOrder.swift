public import Configuration

/// What a firewall is asked about its policy.
public enum PolicyOrder: Hashable, Sendable, Codable {
    /// Whether a change would fit; nothing happens.
    case check(PolicyChange)
    /// Activate it at once.
    case push(PolicyChange)
    /// Compare it with the peer's first. Answered when it is staged; what comes of it are events.
    case agree(PolicyChange)
    /// Whether the box is the Active of its pair.
    case role
    /// What is in effect, to be saved. Refused between the halves of a change that only go together.
    case configuration
}
