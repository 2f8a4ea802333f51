public import Configuration
import Dataplane
public import LabEvents
import Redundancy
import Wire

extension CounterScope {
    public init(_ configuration: FirewallConfiguration) {
        self.init(.dataplane, .firewall, .fragments)
        add(.drop, DropReason.allCases.map(\.counterWords))
        add(.application, Application.allCases.map { [.application: $0.name] })
        add(.category, configuration.categories.map { [.category: $0.name] })
        guard let redundancy = configuration.redundancy else { return }
        add(.pair)
        add(.discard, WireError.Reason.allCases.map(\.counterWords))
        guard let conduit = redundancy.conduit else { return }
        add(.conduit)
        add(.conduitWorker, (0..<conduit.workers).map { [.worker: "\($0)"] })
    }
}
