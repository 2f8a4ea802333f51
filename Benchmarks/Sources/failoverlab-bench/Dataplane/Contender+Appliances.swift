internal import Appliances
internal import Configuration
internal import Wire

extension Contender {
    private static let ports = [
        PortConfiguration(
            name: "inside", mac: BenchPath.boxInsideMAC, address: IPv4InterfaceAddress("10.10.1.1/24")!),
        PortConfiguration(
            name: "outside", mac: BenchPath.boxOutsideMAC, address: IPv4InterfaceAddress("10.10.2.1/24")!),
    ]
    private static let routes = [
        RouteConfiguration(destination: IPv4Network("10.10.3.0/24")!, gateway: IPv4Address("10.10.2.2")!)
    ]

    /// One that a lab's `faults:` asked for, with no fault armed: to be compared with I/O alone.
    static func makeIdleElement() throws -> InLineElement {
        try InLineElement(InLineElementConfiguration(name: "box", ends: ["inside", "outside"], rules: [])) { text in
            throw BenchmarkFailure("no rule has the filter '\(text)'")
        }
    }

    /// Alone; the generator's frames are one UDP session.
    static func makeFirewall() throws -> Firewall {
        try Firewall(FirewallConfiguration(name: "box", ports: ports, routes: routes, redundancy: nil))
    }

    /// The frames' destination is a virtual service; its one member is behind the sink.
    static func makeLoadBalancer() throws -> LoadBalancer {
        let member = PoolMemberConfiguration(name: "member", address: IPv4Address("10.10.3.9")!, port: 5001)
        let service = VirtualServiceConfiguration(
            name: "service", address: BenchFrame.destination, port: BenchFrame.port, profile: .udpFastPath,
            scheduler: .roundRobin, sourceTranslation: .autoMap, members: [member], monitor: nil,
            idleTimeout: .seconds(60))
        return try LoadBalancer(
            LoadBalancerConfiguration(name: "box", ports: ports, routes: routes, services: [service]))
    }

    /// As above with direct server return. Its member is the sink itself at layer 2, else behind it.
    static func makeDirectReturn(_ mode: DirectReturnConfiguration.Mode) throws -> LoadBalancer {
        let address = mode == .l2 ? "10.10.2.2" : "10.10.3.9"
        let member = PoolMemberConfiguration(
            name: "member", address: IPv4Address(address)!, port: BenchFrame.port)
        let service = VirtualServiceConfiguration(
            name: "service", address: BenchFrame.destination, port: BenchFrame.port, profile: .udpFastPath,
            scheduler: .consistentHash, sourceTranslation: .off, members: [member], monitor: nil,
            idleTimeout: .seconds(60), directReturn: DirectReturnConfiguration(mode: mode))
        return try LoadBalancer(
            LoadBalancerConfiguration(name: "box", ports: ports, routes: routes, services: [service]))
    }
}
