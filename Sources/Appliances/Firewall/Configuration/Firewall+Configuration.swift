import Configuration
import Dataplane
import LabEvents
import LabTime
import Redundancy
import Wire

extension Firewall {
    mutating func performPolicy(
        _ order: PolicyOrder, at now: Instant, into output: inout FrameQueue
    ) -> ApplianceReply {
        do throws(ConfigurationError) {
            switch order {
            case .role:
                return .role(isActive: role == .active)
            case .configuration:
                let (policy, nat) = try policy.saved()
                return .configuration(policy, nat)
            case .check(let change):
                _ = try policy.rules(of: policy.applying(change))
            case .push(let change):
                guard policy.agreement?.isOpen != true else {
                    throw ConfigurationError("\(name) still agrees with its peer on another push")
                }
                let new = try policy.applying(change)
                let done = try install(new, at: now, into: &output)
                policy.running = new
                let items = policy.items(of: new)
                policy.agreement?.changed(running: items, at: now)
                log.report(.pushDone, at: now, done)
                carryOutAgreement(at: now, into: &output)
            case .agree(let change):
                guard policy.agreement != nil else {
                    throw ConfigurationError("\(name) has no peer on a cross-connect to agree with")
                }
                let new = try policy.applying(change)
                _ = try policy.rules(of: new)
                let items = policy.items(of: new)
                guard policy.agreement?.stage(items, at: now) == true else {
                    throw ConfigurationError("\(name) still agrees with its peer on another push")
                }
                policy.candidate = change
                carryOutAgreement(at: now, into: &output)
            }
            return .done
        } catch {
            if order.isChange { log.report(.pushRefused, at: now, [.reason: error.description]) }
            return .refused(reason: error.description)
        }
    }

    /// Puts a configuration into effect, and announces addresses of pools that are new.
    /// - Returns: for an event: how many sessions ended, because what let them through is gone, and how many mappings
    ///   outlive their pool
    mutating func install(
        _ new: RunningConfiguration, at now: Instant, into output: inout FrameQueue
    ) throws(ConfigurationError) -> EventDetails {
        let ended = filter.install(
            try policy.rules(of: new), otherwise: new.policy.otherwise, reporting: &pair)
        var details: EventDetails = [.sessionsEnded: String(ended)]
        if policy.translate(as: new.nat) {
            filter.install(
                pools: new.nat.pools, former: new.nat.former, rules: new.nat.rules, timers: policy.timers(of: new.nat),
                at: now, reporting: &pair)
            settlePoolAddresses(at: now, into: &output)
            details[.mappingsRetired] = String(filter.nat.retiredCount)
        }
        return details
    }

    /// Gives the agreement the pair's state, and does what it asks for.
    mutating func carryOutAgreement(at now: Instant, into output: inout FrameQueue) {
        guard policy.agreement != nil, pair != nil else { return }
        let (isActive, receivesFromPeer) = (role == .active, pair!.election.receivesHeartbeat)
        policy.agreement?.setRole(isActive: isActive, at: now)
        policy.agreement?.setReceivesFromPeer(receivesFromPeer, at: now)
        for action in policy.agreement?.takeActions() ?? [] {
            switch action {
            case .send(let statement):
                statement.bytes.withUnsafeBytes {
                    pair?.link?.send($0, port: PairSettings.configurationPort, by: &ports, at: now, into: &output)
                }
            case .activateAdditions: activate(policy.candidate?.additions, isWhole: false, at: now, into: &output)
            case .activate: activate(policy.candidate, isWhole: true, at: now, into: &output)
            case .rollBack:
                // Guard: what ran before compiles.
                _ = try? install(policy.running, at: now, into: &output)
            case .blocked(let reason):
                log.report(.pushBlocked, at: now, details(of: reason))
            case .completed:
                policy.candidate = nil
            case .drifted:
                log.report(.configurationDiffers, at: now, [.peer: pair?.settings.peer ?? ""])
            }
        }
        if policy.agreement?.isOpen == false, policy.agreement?.mayFollow == false { policy.candidate = nil }
    }

    private mutating func activate(
        _ change: PolicyChange?, isWhole: Bool, at now: Instant, into output: inout FrameQueue
    ) {
        guard let change, let new = try? policy.applying(change),
            var done = try? install(new, at: now, into: &output)
        else { return }
        guard isWhole else { return }
        policy.running = new
        done[.mode] = "agreement"
        log.report(.pushDone, at: now, done)
    }

    private func details(of reason: ConfigurationAgreement.BlockReason) -> EventDetails {
        let peer = pairSettings?.peer ?? ""
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

    /// A statement of the peer about its configuration.
    mutating func receiveConfiguration(
        _ payload: UnsafeRawBufferPointer, at now: Instant, into output: inout FrameQueue
    ) throws(WireError) {
        let key = pair?.settings.key
        let message = if let key { try SyncAuthenticator.open(payload, key: key) } else { payload }
        let statement = try ConfigurationStatement(message)
        // Without a key anybody can claim a boot epoch: that of the heartbeats counts.
        guard key != nil || statement.epoch == pair?.channel.knownPeerEpoch else {
            throw WireError(.sync, .replayed)
        }
        policy.agreement?.receive(statement, at: now)
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
