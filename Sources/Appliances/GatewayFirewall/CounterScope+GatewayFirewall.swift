public import Configuration
import Dataplane
public import LabEvents

extension CounterScope {
    public init(_ configuration: GatewayFirewallConfiguration) {
        self.init(.dataplane, .gatewayFirewall, .eventLimits, .fragments)
        add(.drop, DropReason.allCases.map(\.counterWords))
    }
}
