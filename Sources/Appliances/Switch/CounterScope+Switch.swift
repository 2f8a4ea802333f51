public import Configuration
import Dataplane
public import LabEvents

extension CounterScope {
    public init(_ configuration: SwitchConfiguration) {
        self.init(.dataplane, .switch, .eventLimits)
        add(.drop, DropReason.allCases.map(\.counterWords))
    }
}
