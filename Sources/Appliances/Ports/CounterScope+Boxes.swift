public import Configuration
import Dataplane
import Impairment
public import LabEvents
import Redundancy
import Wire

// What each box counts, by its configuration. The packet socket's counters come on top where a box runs on real links.
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

    public init(_ configuration: GatewayFirewallConfiguration) {
        self.init(.dataplane, .gatewayFirewall, .eventLimits, .fragments)
        add(.drop, DropReason.allCases.map(\.counterWords))
    }

    public init(_ configuration: SwitchConfiguration) {
        self.init(.dataplane, .switch, .eventLimits)
        add(.drop, DropReason.allCases.map(\.counterWords))
    }

    public init(_ configuration: TunnelEndpointConfiguration) {
        self.init(.dataplane)
        add(.drop, DropReason.allCases.map(\.counterWords))
    }

    public init(_ configuration: InLineElementConfiguration) {
        self.init(.element)
        add(.rule, configuration.rules.map { [.rule: $0.name] })
    }

    /// The balancer's dataplane; `hostSideOf` has what runs on its kernel.
    public init(_ configuration: LoadBalancerConfiguration) {
        self.init(.dataplane, .balancer)
        add(.drop, DropReason.allCases.map(\.counterWords))
        for service in configuration.services {
            add(.service, [[.service: service.name]])
            add(.member, service.members.map { [.service: service.name, .member: $0.name] })
        }
    }

    /// Proxies and HTTP services of a load balancer.
    public init(hostSideOf configuration: LoadBalancerConfiguration) {
        self.init()
        for service in configuration.services {
            let words: CounterWords = [.service: service.name]
            func with(_ placeholder: CounterPlaceholder, _ values: [String]) -> [CounterWords] {
                values.map { words.merging([placeholder: $0]) { $1 } }
            }
            switch service.profile {
            case .tcpProxy: add(.proxy, [words])
            case .http:
                add(.http, [words])
                add(.httpAnswer, with(.class, (1...5).map { "\($0)xx" }))
                add(
                    .httpFailure,
                    with(.reason, HTTPErrorReason.allCases.map(\.rawValue) + MessageFault.allCases.map(\.rawValue)))
                // The TLS library has words of its own.
                add(.httpTLSFailure, [words])
            case .tcpFastPath, .udpFastPath, .udpPerPacket: break
            }
        }
    }
}
