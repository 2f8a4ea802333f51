import Configuration
import Wire

/// A load balancer with one service on 127.0.0.1 at a free port.
func loadBalancer(
    _ ports: [UInt16], profile: ServiceProfile = .tcpProxy, scheduler: Scheduler = .roundRobin,
    monitor: MonitorConfiguration? = nil, port: UInt16 = 0, address: IPv4Address = .loopback,
    http: HTTPServiceConfiguration? = nil
) -> LoadBalancerConfiguration {
    LoadBalancerConfiguration(
        name: "lb", ports: [], routes: [],
        services: [
            VirtualServiceConfiguration(
                name: "web", address: address, port: port, profile: profile, scheduler: scheduler,
                sourceTranslation: .autoMap,
                members: ports.enumerated().map {
                    PoolMemberConfiguration(name: "backend-\($0 + 1)", address: IPv4Address.loopback, port: $1)
                },
                monitor: monitor, idleTimeout: .seconds(60), http: http)
        ])
}
