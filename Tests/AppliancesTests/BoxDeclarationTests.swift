import Appliances
import Configuration
import Dataplane
import Impairment
import LabEvents
import Testing

/// What boxes report and count is what is declared of them.
struct BoxDeclarationTests {
    private func compare<Box: Appliance & ~Copyable>(_ box: borrowing Box, _ scope: CounterScope) {
        let printed = box.counters.map(\.name)
        #expect(Set(printed).count == printed.count, "a counter is printed twice")
        let declared = Set(scope.names)
        #expect(Set(printed).subtracting(declared).isEmpty, "printed, and not declared")
        #expect(declared.subtracting(printed).isEmpty, "declared, and not printed")
    }

    @Test(arguments: [false, true], [false, true])
    func `firewall`(hasConduit: Bool, isPair: Bool) throws {
        let lab = try FirewallLab(
            usesVirtualMAC: true,
            configure: { _, configuration in
                configuration.categories = [CategoryConfiguration(name: "video", domains: ["example.com"])]
                configuration.ports[2].mtu = 1600
                if hasConduit { configuration.redundancy?.conduit = ConduitConfiguration(workers: 3) }
                if !isPair { configuration.redundancy = nil }
            })
        let configuration = lab.configuration(of: 0)
        compare(try Firewall(configuration), CounterScope(configuration))
    }

    @Test func `firewall with NAT`() throws {
        let configuration = NATBench.configuration([NATPool(name: "internet", addresses: [NATBench.own[0]])])
        compare(try Firewall(configuration), CounterScope(configuration))
    }

    @Test(arguments: ServiceProfile.allCases)
    func `load balancer`(profile: ServiceProfile) throws {
        let configuration = BalancerBench.configuration([BalancerBench.service(profile)])
        compare(try LoadBalancer(configuration), CounterScope(configuration))
    }

    @Test func `gateway firewall`() throws {
        let configuration = GatewayFirewallConfiguration(
            name: "gw", ports: GatewayBench.ports(addressed: false), mode: .transparent, profile: .pf,
            filtering: [.off, .inboundOnly])
        compare(try GatewayFirewall(configuration), CounterScope(configuration))
    }

    @Test func `tunnel endpoint`() throws {
        let configuration = TunnelEndpointTests.configuration()
        compare(try TunnelEndpoint(configuration), CounterScope(configuration))
    }

    @Test func `in-line element`() throws {
        let configuration = InLineElementConfiguration(
            name: "lb.servers", ends: ["lb", "switch"],
            rules: [
                FaultRule(name: "late-fin", action: .drop), FaultRule(name: "loss", action: .lose(Loss(rate: 0.5))),
            ])
        compare(try InLineElement(configuration) { _ in { _ in true } }, CounterScope(configuration))
    }
}
