import LabTime
import Wire

extension ConfigurationAgreement {
    /// What becomes of a pushed configuration, with what has a meaning only there.
    enum Phase: Hashable, Sendable {
        /// Nothing is pushed.
        case idle
        /// A candidate waits for the peer's.
        case staged(Candidate, until: Instant)
        /// Both have the same.
        case agreed(Candidate, until: Instant)
        /// What it adds is in effect; what it deletes still is, too.
        case added(Candidate)
        /// It is in effect here; at the peer it may not be yet.
        case active(Candidate)
        /// It was refused. It may still come into effect, because the peer went on to it.
        case blocked(Candidate)
    }

    /// A configuration that was pushed.
    struct Candidate: Hashable, Sendable {
        var items: [ConfigurationItem]
        var digest: UInt64

        init(_ items: [ConfigurationItem]) {
            self.items = items
            digest = ConfigurationDigest.of(items)
        }
    }

    /// What can happen to a box of a pair.
    enum Input: Hashable, Sendable {
        /// A new configuration was pushed to this box, and is to be compared.
        case pushed([ConfigurationItem])
        /// The configuration in effect was changed without agreement.
        case changed(running: [ConfigurationItem])
        case role(isActive: Bool)
        /// Whether the peer's heartbeat is received.
        case reception(Bool)
        case statement(ConfigurationStatement)
        /// A timer is due.
        case due(Timer)
    }

    /// In the order in which timers that are due at one instant fire.
    enum Timer: CaseIterable, Hashable, Sendable {
        /// The peer's configuration, or its agreement, did not come.
        case timeout
        /// The next statement while a push is under way.
        case statement
    }
}

extension ConfigurationAgreement.Phase {
    /// As statements name it.
    var stage: ConfigurationStatement.Stage {
        switch self {
        case .idle: .idle
        case .staged: .staged
        case .agreed: .agreed
        case .added: .added
        case .active: .active
        case .blocked: .blocked
        }
    }

    var candidate: ConfigurationAgreement.Candidate? {
        switch self {
        case .idle: nil
        case .staged(let candidate, _), .agreed(let candidate, _), .added(let candidate), .active(let candidate),
            .blocked(let candidate):
            candidate
        }
    }

    /// The candidate where the peer may have another one, whose differences are of interest.
    var disputed: ConfigurationAgreement.Candidate? {
        switch self {
        case .staged(let candidate, _), .blocked(let candidate): candidate
        case .idle, .agreed, .added, .active: nil
        }
    }

    /// When the peer is waited for no longer.
    var timeout: Instant? {
        switch self {
        case .staged(_, let until), .agreed(_, let until): until
        case .idle, .added, .active, .blocked: nil
        }
    }
}

extension ConfigurationStatement.Stage {
    /// Whether a push is under way.
    var isOpen: Bool {
        switch self {
        case .staged, .agreed, .added, .active: true
        case .idle, .blocked: false
        }
    }
}
