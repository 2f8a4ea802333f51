import Dataplane
import TestSupport
import Testing
import Wire

@Suite struct RouteTableTests {
    @Test func `the longest prefix wins and a connected network is its own next hop`() {
        var table = RouteTable()
        table.insert(Route(destination: .any, port: 0, gateway: IPv4Address(192, 0, 2, 1)))
        table.insert(Route(destination: IPv4Network("10.0.0.0/8")!, port: 1, gateway: IPv4Address(192, 0, 2, 2)))
        table.insert(Route(destination: IPv4Network("10.1.2.0/24")!, port: 2, gateway: nil))
        table.insert(Route(destination: IPv4Network("10.1.2.9/32")!, port: 3, gateway: IPv4Address(10, 1, 2, 1)))
        #expect(table.lookup(IPv4Address(8, 8, 8, 8)) == NextHop(port: 0, address: IPv4Address(192, 0, 2, 1)))
        #expect(table.lookup(IPv4Address(10, 9, 9, 9)) == NextHop(port: 1, address: IPv4Address(192, 0, 2, 2)))
        #expect(table.lookup(IPv4Address(10, 1, 2, 8)) == NextHop(port: 2, address: IPv4Address(10, 1, 2, 8)))
        #expect(table.lookup(IPv4Address(10, 1, 2, 9)) == NextHop(port: 3, address: IPv4Address(10, 1, 2, 1)))
        #expect(table.all.map(\.destination.prefixLength) == [32, 24, 8, 0])
    }

    @Test func `without a default route a stranger has no route`() {
        var table = RouteTable()
        #expect(table.lookup(IPv4Address(10, 0, 0, 1)) == nil)
        table.insert(Route(destination: IPv4Network("10.0.0.0/24")!, port: 0, gateway: nil))
        #expect(table.lookup(IPv4Address(10, 0, 1, 1)) == nil)
    }

    @Test func `a route to the same network replaces the other, and removal brings the shorter prefix back`() {
        var table = RouteTable()
        let network = IPv4Network("10.0.0.0/24")!
        table.insert(Route(destination: .any, port: 9, gateway: IPv4Address(192, 0, 2, 9)))
        table.insert(Route(destination: network, port: 0, gateway: nil))
        table.insert(Route(destination: network, port: 1, gateway: nil))
        #expect(table.count == 2)
        #expect(table.lookup(IPv4Address(10, 0, 0, 1))?.port == 1)
        #expect(table.remove(network)?.port == 1)
        #expect(table.lookup(IPv4Address(10, 0, 0, 1))?.port == 9)
        #expect(table.remove(network) == nil)
    }

    @Test(arguments: [21, 22, 23] as [UInt64])
    func `lookups agree with a search through all routes`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var table = RouteTable()
        var routes: [IPv4Network: PortIndex] = [:]
        for _ in 0..<300 {
            let length = Int.random(in: 0...32, using: &random)
            // Few different upper bits, so that prefixes contain one another.
            let address = IPv4Address(rawValue: UInt32.random(in: 0..<1 << 14, using: &random) << 18)
            let network = IPv4Network(address, prefixLength: length)
            let port = PortIndex.random(in: 0..<64, using: &random)
            table.insert(Route(destination: network, port: port, gateway: nil))
            routes[network] = port
            let wanted = IPv4Address(rawValue: UInt32.random(in: 0..<1 << 14, using: &random) << 18 | 1)
            let best = routes.filter { $0.key.contains(wanted) }.max { $0.key.prefixLength < $1.key.prefixLength }
            #expect(table.lookup(wanted)?.port == best?.value, "seed \(seed)")
        }
    }

    private static func flow(_ port: Int) -> FiveTuple {
        FiveTuple(
            source: IPv4Address(192, 0, 2, 1), destination: IPv4Address(10, 9, 0, 1), sourcePort: UInt16(port),
            destinationPort: 80, protocol: .tcp)
    }

    @Test func `several ways share the flows, evenly, and each flow keeps to one of them`() {
        var table = RouteTable()
        let gateways = (1...3).map { IPv4Address(10, 0, 0, UInt8($0)) }
        let network = IPv4Network("10.9.0.0/16")!
        table.replaceAll(
            with: gateways.enumerated().map { Route(destination: network, port: PortIndex($0), gateway: $1) })
        #expect(table.count == 1 && table.all.count == 3)
        var counts: [IPv4Address: Int] = [:]
        for port in 1...30_000 {
            let hop = table.lookup(IPv4Address(10, 9, 0, 1), for: Self.flow(port))
            #expect(hop == table.lookup(IPv4Address(10, 9, 0, 1), for: Self.flow(port)))
            counts[hop!.address, default: 0] += 1
            #expect(hop?.port == PortIndex(hop!.address.rawValue & 0xff) - 1)
        }
        // Five standard deviations of 82.
        for gateway in gateways { #expect(abs(counts[gateway, default: 0] - 10_000) < 410, "\(counts)") }
        // Without a flow it is the first, and another network's routes are not touched.
        #expect(table.lookup(IPv4Address(10, 9, 0, 1))?.address == gateways[0])
        #expect(table.lookup(IPv4Address(10, 8, 0, 1), for: Self.flow(1)) == nil)
    }

    @Test func `a way that goes leaves its flows to the others, and a way that counts twice gets twice the flows`() {
        var table = RouteTable()
        let (a, b) = (IPv4Address(10, 0, 0, 1), IPv4Address(10, 0, 0, 2))
        let network = IPv4Network("10.9.0.0/16")!
        func routes(_ gateways: [IPv4Address]) -> [Route] {
            gateways.map { Route(destination: network, port: 0, gateway: $0) }
        }
        table.replaceAll(with: routes([a, b, b]))
        let toB = (1...9000).count { table.lookup(IPv4Address(10, 9, 0, 1), for: Self.flow($0))?.address == b }
        #expect(abs(toB - 6000) < 225)
        table.replaceAll(with: routes([b]))
        #expect((1...100).allSatisfy { table.lookup(IPv4Address(10, 9, 0, 1), for: Self.flow($0))?.address == b })
    }
}
