import Configuration
import Dataplane
import LabEvents
import LabTime
import Redundancy
import Wire

/// What a firewall's policy is, and what it is to become.
struct FirewallPolicy {
    var running: RunningConfiguration
    /// What is translated at the moment: between the halves of a change not as `running` has it.
    var translation: RunningNAT
    /// What waits for the peer's agreement.
    var candidate: PolicyChange?
    /// Whether the candidate's additions are in effect beside the running policy.
    var hasAdditions = false
}

/// All that a push can change.
struct RunningConfiguration: Hashable {
    var policy: PolicyConfiguration
    var nat: RunningNAT
}

extension Firewall {
    mutating func performPolicy(
        _ order: PolicyOrder, at now: Instant, into output: inout FrameQueue
    ) -> ApplianceReply {
        do throws(ConfigurationError) {
            switch order {
            case .role:
                return .role(isActive: role == .active)
            case .configuration:
                let (policy, nat) = (policy.running.policy, policy.running.nat.configuration)
                if let nat { try surroundings.check(nat) }
                if let pool = self.policy.running.nat.former.first {
                    throw ConfigurationError(
                        "the peer of \(name) may still grant from an earlier form of the NAT pool '\(pool.name)'")
                }
                return .configuration(policy, nat)
            case .check(let change):
                let new = try applying(change)
                _ = try new.policy.compiled(for: portNames, of: name)
            case .push(let change):
                guard agreement?.isOpen != true else {
                    throw ConfigurationError("\(name) still agrees with its peer on another push")
                }
                let new = try applying(change)
                let done = try install(new, at: now, into: &output)
                policy.running = new
                let items = items(of: new)
                agreement?.changed(running: items, at: now)
                report(.pushDone, at: now, done)
                carryOutAgreement(at: now, into: &output)
            case .agree(let change):
                guard agreement != nil else {
                    throw ConfigurationError("\(name) has no peer on a cross-connect to agree with")
                }
                let new = try applying(change)
                _ = try new.policy.compiled(for: portNames, of: name)
                let items = items(of: new)
                guard agreement?.stage(items, at: now) == true else {
                    throw ConfigurationError("\(name) still agrees with its peer on another push")
                }
                policy.candidate = change
                carryOutAgreement(at: now, into: &output)
            }
            return .done
        } catch {
            if order.isChange { report(.pushRefused, at: now, [.reason: error.description]) }
            return .refused(reason: error.description)
        }
    }

    private func applying(_ change: PolicyChange) throws(ConfigurationError) -> RunningConfiguration {
        RunningConfiguration(
            policy: try policy.running.policy.applying(change),
            nat: try policy.running.nat.applying(change.nat, of: surroundings))
    }

    func items(of configuration: RunningConfiguration) -> [ConfigurationItem] {
        configuration.policy.items + configuration.nat.items(of: surroundings)
    }

    /// Puts a configuration into effect, and announces addresses of pools that are new.
    /// - Returns: for an event: how many sessions ended, because what let them through is gone, and how many mappings
    ///   outlive their pool
    mutating func install(
        _ new: RunningConfiguration, at now: Instant, into output: inout FrameQueue
    ) throws(ConfigurationError) -> EventDetails {
        let ended = filter.install(
            try new.policy.compiled(for: portNames, of: name), otherwise: new.policy.otherwise, reporting: &journal)
        var details: EventDetails = [.sessionsEnded: String(ended)]
        if policy.translation != new.nat {
            filter.install(
                pools: new.nat.pools, former: new.nat.former, rules: new.nat.rules,
                timers: fixedTimers ?? new.nat.configuration?.timers.sessions ?? .standard, at: now,
                reporting: &journal)
            policy.translation = new.nat
            settlePoolAddresses(at: now, into: &output)
            details[.mappingsRetired] = String(filter.nat.retiredCount)
        }
        return details
    }

    /// Tells the agreement of the pair's state, and does what it asks for.
    mutating func carryOutAgreement(at now: Instant, into output: inout FrameQueue) {
        guard agreement != nil else { return }
        let (isActive, receivesFromPeer) = (role == .active, election.receivesHeartbeat)
        agreement?.setRole(isActive: isActive, at: now)
        agreement?.setReceivesFromPeer(receivesFromPeer, at: now)
        for action in agreement?.takeActions() ?? [] {
            switch action {
            case .send(let statement):
                statement.bytes.withUnsafeBytes {
                    sendToPeer($0, port: FirewallRedundancy.configurationPort, at: now, into: &output)
                }
            case .activateAdditions: activate(policy.candidate?.additions, isWhole: false, at: now, into: &output)
            case .activate: activate(policy.candidate, isWhole: true, at: now, into: &output)
            case .rollBack:
                policy.hasAdditions = false
                // Guard: what ran before compiles.
                _ = try? install(policy.running, at: now, into: &output)
            case .blocked(let reason):
                report(.pushBlocked, at: now, details(of: reason))
            case .completed:
                policy.candidate = nil
            case .drifted:
                report(.configurationDiffers, at: now, [.peer: redundancy?.peer ?? ""])
            }
        }
        if agreement?.isOpen == false, agreement?.mayFollow == false { policy.candidate = nil }
    }

    private mutating func activate(
        _ change: PolicyChange?, isWhole: Bool, at now: Instant, into output: inout FrameQueue
    ) {
        guard let change, let new = try? applying(change),
            var done = try? install(new, at: now, into: &output)
        else { return }
        policy.hasAdditions = !isWhole
        guard isWhole else { return }
        policy.running = new
        done[.mode] = "agreement"
        report(.pushDone, at: now, done)
    }

    private func details(of reason: ConfigurationAgreement.BlockReason) -> EventDetails {
        let peer = redundancy?.peer ?? ""
        switch reason {
        case .different(let differences):
            let words = differences.compactMap { $0.words(here: name, there: peer) }
            let shown = words.prefix(10)
            let rest = words.count > shown.count ? ["and \(words.count - shown.count) more"] : []
            return [
                .reason: "\(name) and \(peer) were given different configurations",
                .differences: (shown + rest).joined(separator: "; "),
            ]
        case .peerSilent: return [.reason: "\(peer) is not heard, so nothing can be compared"]
        case .peerHasNothing: return [.reason: "\(peer) was given no configuration in time"]
        case .peerBlocked: return [.reason: "\(peer) refused it"]
        }
    }

    mutating func receiveConfiguration(
        _ message: UnsafeRawBufferPointer, at now: Instant, into output: inout FrameQueue
    ) throws(WireError) {
        let statement = try ConfigurationStatement(message)
        // Without a key anybody can claim a life: that of the heartbeats counts.
        guard redundancy?.key != nil || statement.epoch == channel.knownPeerEpoch else {
            throw WireError(.sync, .replayed)
        }
        agreement?.receive(statement, at: now)
        carryOutAgreement(at: now, into: &output)
    }
}

extension PolicyOrder {
    fileprivate var isChange: Bool {
        switch self {
        case .push, .agree: true
        case .check, .role, .configuration: false
        }
    }
}
