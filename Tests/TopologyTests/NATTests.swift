import Configuration
import Dataplane
import Expectation
import LabFile
import LabTime
import Testing
import Wire

@testable import Topology

private let text = SmallLab.replacing(
    "      addresses: { outside: 192.0.2.1, inside: 198.51.100.1 }\n",
    """
          addresses: { outside: 192.0.2.1, inside: 198.51.100.1 }
        nat:
          pools:
            internet: { addresses: outside.virtual-ip, filtering: address-dependent }
            guests: { addresses: [192.0.2.20, 192.0.2.21], ports: 2000-2999, pooling: arbitrary }
            own: { addresses: outside.ip }
          rules:
            - { source: servers, destination: [203.0.113.0/24, 203.0.114.1], pool: none }
            - { source: inside, protocol: tcp, ports: 80-443, pool: guests }
            - { source: 10.0.0.0/8, protocol: icmp, pool: own }
            - { source: any, destination: outside, pool: internet }
          timers: { udp: 2m, tcp-transitory: 10s }

    """)

private func configuration(_ node: String, _ text: String = text) throws -> NATConfiguration {
    let lab = try Lab(parsing: text, path: "lab.yaml")
    guard let configuration = lab.variants[0].node(named: node)?.role.firewall else { throw CancellationError() }
    return try #require(configuration.nat)
}

private func messages(_ old: String, _ new: String) -> [String] {
    let parts = text.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
    precondition(parts.count == 2, "the lab has no '\(old)'")
    do {
        _ = try Lab(parsing: parts[0] + new + parts[1], path: "lab.yaml")
        return []
    } catch {
        return error.errors.map { "lab.yaml:\($0)" }
    }
}

@Suite struct NATTests {
    @Test func `pools, rules and timers are resolved for each box of the pair`() throws {
        let first = try configuration("fw-a")
        #expect(
            first.pools == [
                NATPool(name: "internet", addresses: [IPv4Address(192, 0, 2, 1)], filtering: .addressDependent),
                NATPool(
                    name: "guests", addresses: [IPv4Address(192, 0, 2, 20), IPv4Address(192, 0, 2, 21)],
                    ports: 2000...2999, pooling: .arbitrary),
                NATPool(name: "own", addresses: [IPv4Address(192, 0, 2, 2)], ports: 1024...32767),
            ])
        let any = IPv4Network.any
        let servers = IPv4Network("169.254.1.0/24")!
        #expect(
            first.rules == [
                NATRule(name: "1", source: servers, destination: IPv4Network("203.0.113.0/24")!, pool: nil),
                NATRule(name: "1", source: servers, destination: IPv4Network("203.0.114.1/32")!, pool: nil),
                NATRule(
                    name: "2", source: IPv4Network("198.51.100.0/24")!, protocol: .tcp, destinationPorts: 80...443,
                    pool: "guests"),
                NATRule(name: "3", source: IPv4Network("10.0.0.0/8")!, protocol: .icmp, pool: "own"),
                NATRule(name: "4", source: any, destination: IPv4Network("192.0.2.0/24")!, pool: "internet"),
            ])
        #expect(
            first.timers
                == NATTimers(
                    udp: .seconds(120), established: .seconds(7440), transitory: .seconds(10), query: .seconds(60)))
        var second = try configuration("fw-b")
        // The interface's own address is each box's own; all else is the same.
        #expect(second.pools[2].addresses == [IPv4Address(192, 0, 2, 3)])
        second.pools[2] = first.pools[2]
        #expect(second == first)
    }

    @Test func `the defaults are the minima and recommendations of the RFCs`() {
        #expect(
            NATTimers.standard
                == NATTimers(
                    udp: .seconds(5 * 60), established: .seconds(2 * 3600 + 4 * 60), transitory: .seconds(4 * 60),
                    query: .seconds(60)))
    }

    @Test func `a pool's address can be referred to in expectations`() throws {
        let changed = text.split(separator: "src host lb/web.address").joined(separator: "src host fw-a/guests.address")
        let lab = try Lab(parsing: changed, path: "lab.yaml")
        let filters = lab.variants[0].expectations.compactMap { ($0.subject.value as? FrameExpectation)?.match }
        #expect(filters == ["tcp and src host 192.0.2.20"])
    }

    @Test func `an address of a pool is given to nobody else`() throws {
        let taken = messages("interfaces: { outside: 192.0.2.10 }", "interfaces: { outside: 192.0.2.21 }")
        #expect(taken.count == 1)
        #expect(
            taken.allSatisfy { $0.contains("192.0.2.21 of the NAT of 'fw-a' and 'fw-b' belongs to client.outside") })
        // An interface without an address gets the first one that is free.
        let free = text.split(separator: "guests: { addresses: [192.0.2.20").joined(
            separator: "guests: { addresses: [192.0.2.4"
        )
        .split(separator: "interfaces: { outside: 192.0.2.10 }").joined(separator: "interfaces: { outside: }")
        let lab = try Lab(parsing: free, path: "lab.yaml")
        #expect(lab.variants[0].node(named: "client")?.interfaces[0].address?.address == IPv4Address(192, 0, 2, 5))
    }

    @Test(arguments: [
        ("pool: guests", "pool: guest", "names the pool 'guest', which does not exist"),
        ("pool: guests", "pool: guest", "guests"),
        ("outside.virtual-ip", "outside.virtual-ipp", "outside.virtual-ip"),
        ("outside.virtual-ip", "outsid.virtual-ip", "'fw-a' has no interface 'outsid'"),
        ("filtering: address-dependent", "filtering: adress-dependent", "address-dependent"),
        ("filtering:", "filterin:", "unknown key 'filterin' of the pool 'internet'"),
        ("ports: 2000-2999", "ports: 2999-2000", "'ports' of the pool 'guests' is '2999-2000'"),
        ("ports: 2000-2999", "ports: 2000-2001", "leave one box of the pair none"),
        ("[192.0.2.20, 192.0.2.21]", "[192.0.2.13, 192.0.2.13]", "is in the pool 'guests' already"),
        ("[192.0.2.20, 192.0.2.21]", "[]", "the pool 'guests' has no address"),
        ("[192.0.2.20, 192.0.2.21]", "192.0.2.2", "fw-a.outside's own address"),
        ("[192.0.2.20, 192.0.2.21]", "192.0.2.255", "the broadcast address"),
        ("[192.0.2.20, 192.0.2.21]", "192.0.2.1", "both have 192.0.2.1 with the same ports"),
        ("source: inside", "source: insid", "inside"),
        ("source: inside, ", "", "needs the key 'source'"),
        ("protocol: tcp, ports", "ports", "needs 'protocol'"),
        ("protocol: icmp", "protocol: icmpp", "'protocol' of a rule of nat is 'icmpp'"),
        ("own: {", "none: {", "a pool cannot be called 'none'"),
        ("udp: 2m", "udp: 2", "without a unit"),
        ("timers: { udp", "timers: { udpp", "unknown key 'udpp' of the timers of nat"),
        ("servers, destination: [203.0.113.0/24", "servers, destination: [203.0.113.7/24", "203.0.113.0/24"),
    ])
    func `a mistake is shown with its place and what is allowed`(old: String, new: String, part: String) {
        let found = messages(old, new)
        #expect(found.contains { $0.contains(part) && $0.hasPrefix("lab.yaml:") }, "\(found)")
    }

    @Test func `nat belongs to firewalls`() {
        let found = messages("role: client\n", "role: client\n    nat: { pools: {}, rules: [] }\n")
        #expect(found.contains { $0.contains("unknown key 'nat'") })
    }
}
