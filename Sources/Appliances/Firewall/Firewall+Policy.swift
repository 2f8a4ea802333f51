import Dataplane
import LabTime
import Redundancy
import Wire

/// What a firewall's policy is, and what it is to become.
struct FirewallPolicy {
    var running: PolicyConfiguration
    /// What waits for the peer's agreement.
    var candidate: PolicyChange?
    /// Whether the candidate's additions are in effect beside the running policy.
    var hasAdditions = false
}

extension Firewall {
    mutating func performPolicy(
        _ order: PolicyOrder, at now: Instant, into output: inout FrameQueue
    ) -> ApplianceReply {
        do throws(ConfigurationError) {
            switch order {
            case .role:
                return .role(isActive: role == .active)
            case .check(let change):
                _ = try policy.running.applying(change).compiled(for: portNames, of: name)
            case .push(let change):
                guard agreement?.isOpen != true else {
                    throw ConfigurationError("\(name) still agrees with its peer on another push")
                }
                let new = try policy.running.applying(change)
                let ended = try install(new)
                policy.running = new
                agreement?.changed(running: new.items, at: now)
                report("push-done", at: now, ["sessions-ended": String(ended)])
                carryOutAgreement(at: now, into: &output)
            case .agree(let change):
                guard agreement != nil else {
                    throw ConfigurationError("\(name) has no peer on a cross-connect to agree with")
                }
                let new = try policy.running.applying(change)
                _ = try new.compiled(for: portNames, of: name)
                guard agreement?.stage(new.items, at: now) == true else {
                    throw ConfigurationError("\(name) still agrees with its peer on another push")
                }
                policy.candidate = change
                carryOutAgreement(at: now, into: &output)
            }
            return .done
        } catch {
            if order.isChange { report("push-refused", at: now, ["reason": error.description]) }
            return .refused(reason: error.description)
        }
    }

    /// - Returns: how many sessions ended, because what let them through is gone
    private mutating func install(_ new: PolicyConfiguration) throws(ConfigurationError) -> Int {
        filter.install(try new.compiled(for: portNames, of: name), otherwise: new.otherwise)
    }

    /// Tells the agreement of the pair's state, and does what it asks for.
    mutating func carryOutAgreement(at now: Instant, into output: inout FrameQueue) {
        guard agreement != nil else { return }
        let (isActive, hearsPeer) = (role == .active, election.hearsHeartbeat)
        agreement?.setRole(isActive: isActive, at: now)
        agreement?.setHearsPeer(hearsPeer, at: now)
        for action in agreement?.takeActions() ?? [] {
            switch action {
            case .send(let statement):
                statement.bytes.withUnsafeBytes {
                    sendToPeer($0, port: FirewallRedundancy.configurationPort, at: now, into: &output)
                }
            case .activateAdditions: activate(policy.candidate?.additions, isWhole: false, at: now)
            case .activate: activate(policy.candidate, isWhole: true, at: now)
            case .rollBack:
                policy.hasAdditions = false
                // Guard: what ran before compiles.
                _ = try? install(policy.running)
            case .blocked(let reason):
                report("push-blocked", at: now, details(of: reason))
            case .completed:
                policy.candidate = nil
            case .drifted:
                report("configuration-differs", at: now, ["peer": redundancy?.peer ?? ""])
            }
        }
        if agreement?.isOpen == false, agreement?.mayFollow == false { policy.candidate = nil }
    }

    private mutating func activate(_ change: PolicyChange?, isWhole: Bool, at now: Instant) {
        guard let change, let new = try? policy.running.applying(change), let ended = try? install(new) else { return }
        policy.hasAdditions = !isWhole
        guard isWhole else { return }
        policy.running = new
        report("push-done", at: now, ["sessions-ended": String(ended), "mode": "agreement"])
    }

    private func details(of reason: ConfigurationAgreement.BlockReason) -> [String: String] {
        let peer = redundancy?.peer ?? ""
        switch reason {
        case .different(let differences):
            let shown = differences.prefix(10).map { $0.words(here: name, there: peer) }
            let rest = differences.count > shown.count ? ["and \(differences.count - shown.count) more"] : []
            return [
                "reason": "\(name) and \(peer) were given different configurations",
                "differences": (shown + rest).joined(separator: "; "),
            ]
        case .peerSilent: return ["reason": "\(peer) is not heard, so nothing can be compared"]
        case .peerHasNothing: return ["reason": "\(peer) was given no configuration in time"]
        case .peerBlocked: return ["reason": "\(peer) refused it"]
        }
    }

    mutating func receiveConfiguration(
        _ message: UnsafeRawBufferPointer, at now: Instant, into output: inout FrameQueue
    ) throws(WireError) {
        let statement = try ConfigurationStatement(message)
        agreement?.receive(statement, at: now)
        carryOutAgreement(at: now, into: &output)
    }
}

extension PolicyOrder {
    fileprivate var isChange: Bool {
        switch self {
        case .push, .agree: true
        case .check, .role: false
        }
    }
}
