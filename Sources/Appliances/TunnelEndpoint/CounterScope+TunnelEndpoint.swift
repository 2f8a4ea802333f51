public import Configuration
import Dataplane
public import LabEvents

extension CounterScope {
    public init(_ configuration: TunnelEndpointConfiguration) {
        self.init(.dataplane)
        add(.drop, DropReason.allCases.map(\.counterWords))
    }
}
