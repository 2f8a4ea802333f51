public import Configuration
import Dataplane
public import LabEvents

extension CounterScope {
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
