import LabTime
import Wire

@testable import Appliances
@testable import Redundancy

// What tests look at within a firewall of a pair, by the part that has it.
extension Firewall {
    var election: Election {
        switch pair {
        case .some(let member): member.election
        case .none: preconditionFailure("a lone firewall has no election")
        }
    }

    var channel: SyncChannel {
        _read {
            switch pair {
            case .some(let member): yield member.channel
            case .none: preconditionFailure("a lone firewall has no session channel")
            }
        }
    }

    var tally: PairTally {
        switch pair {
        case .some(let member): member.tally
        case .none: PairTally()
        }
    }

    var agreement: ConfigurationAgreement? {
        get { policy.agreement }
        set { policy.agreement = newValue }
    }

    func items(of configuration: RunningConfiguration) -> [ConfigurationItem] { policy.items(of: configuration) }
}

extension PairTally {
    var deferralsExpired: UInt64 { self[.deferralExpired] }
    var deferralsWithoutRoom: UInt64 { self[.deferralWithoutRoom] }
}

extension SyncChannel {
    var receiveWindow: ReceiveWindow { _read { yield incoming.window } }
}
