import Configuration
import Dataplane
import Redundancy
import Wire

/// What a firewall lets through and translates, and what that is to become.
struct FirewallPolicy {
    var running: RunningConfiguration
    /// What is translated at the moment: between the halves of a change not as `running` has it.
    private(set) var translation: RunningNAT
    /// What waits for the peer's agreement.
    var candidate: PolicyChange?
    /// nil without a peer on a cross-connect, and before the start.
    var agreement: ConfigurationAgreement?
    let portNames: [String]
    private let surroundings: NATSurroundings
    /// Where the configuration's are not to count.
    private let fixedTimers: SessionTimers?

    init(_ configuration: FirewallConfiguration, timers: SessionTimers?) throws(ConfigurationError) {
        surroundings = NATSurroundings(configuration)
        if let nat = configuration.nat { try surroundings.check(nat) }
        portNames = configuration.ports.map(\.name)
        fixedTimers = timers
        running = RunningConfiguration(
            policy: configuration.policy, nat: RunningNAT(configuration: configuration.nat))
        translation = running.nat
    }

    /// What a firewall starts with when it starts again.
    func saved() throws(ConfigurationError) -> (PolicyConfiguration, NATConfiguration?) {
        if let nat = running.nat.configuration { try surroundings.check(nat) }
        if let pool = running.nat.former.first {
            throw ConfigurationError(
                "the peer of \(surroundings.name) may still grant from an earlier form of the NAT pool '\(pool.name)'")
        }
        return (running.policy, running.nat.configuration)
    }

    func applying(_ change: PolicyChange) throws(ConfigurationError) -> RunningConfiguration {
        RunningConfiguration(
            policy: try running.policy.applying(change), nat: try running.nat.applying(change.nat, of: surroundings))
    }

    func rules(of configuration: RunningConfiguration) throws(ConfigurationError) -> [FilterRule] {
        try configuration.policy.compiled(for: portNames, of: surroundings.name)
    }

    func timers(of nat: RunningNAT) -> SessionTimers {
        fixedTimers ?? nat.configuration?.timers.sessions ?? .standard
    }

    func items(of configuration: RunningConfiguration) -> [ConfigurationItem] {
        configuration.policy.items + configuration.nat.items(of: surroundings)
    }

    /// - Returns: whether something else is translated now
    mutating func translate(as nat: RunningNAT) -> Bool {
        guard translation != nat else { return false }
        translation = nat
        return true
    }
}

/// All that a push can change.
struct RunningConfiguration: Hashable {
    var policy: PolicyConfiguration
    var nat: RunningNAT
}
