import Appliances
import Dataplane
import LabTime
import MallocCounter
import Testing
import Wire

/// No frame of an established flow allocates memory.
@Suite struct AllocationTests {
    private static let station = MACAddress(2, 0, 0, 0, 9, 1)
    private static let far = MACAddress(2, 0, 0, 0, 9, 2)
    private static let client = IPv4Address(192, 0, 2, 10)
    private static let server = IPv4Address(198, 51, 100, 20)

    private static func ports() -> [PortConfiguration] {
        [
            PortConfiguration(
                name: "outside", mac: MACAddress(2, 0, 0, 0, 1, 1), address: IPv4InterfaceAddress("192.0.2.1/24")),
            PortConfiguration(
                name: "inside", mac: MACAddress(2, 0, 0, 0, 1, 2), address: IPv4InterfaceAddress("198.51.100.1/24")),
        ]
    }

    private static func datagram(to destination: IPv4Address, port: UInt16) -> [UInt8] {
        TestFrame.udp(
            from: station, to: ports()[0].mac,
            FiveTuple(
                source: client, destination: destination, sourcePort: 40_000, destinationPort: port, protocol: .udp))
    }

    private static func neighbor(_ address: IPv4Address, asks own: PortConfiguration) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 42)
        let length = bytes.withUnsafeMutableBytes {
            FrameBuilder.arpRequest(
                for: own.address!.address, from: address, mac: address == client ? station : far, into: $0)
        }
        return Array(bytes.prefix(try #require(length)))
    }

    /// Processes copies of one frame, and counts allocations and frames that left.
    private static func measure<Box: Appliance & ~Copyable>(
        _ box: inout Box, neighbors: [([UInt8], PortIndex)], frame: [UInt8], on port: PortIndex = 0, rounds: Int
    ) -> (allocations: UInt64, sent: Int) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 64)
        defer { memory.deallocate() }
        var output = FrameQueue()
        let now = Instant(nanoseconds: 1_000_000_000)
        func put(_ bytes: [UInt8], on port: PortIndex, _ box: inout Box) {
            memory.copyBytes(from: bytes)
            var one = Frame(base: memory.baseAddress!, length: Int32(bytes.count), port: port, side: .wire)
            withUnsafePointer(to: &one) {
                box.process(UnsafeBufferPointer(start: $0, count: 1), at: now, into: &output)
            }
        }
        box.start(at: now, into: &output)
        for (bytes, port) in neighbors { put(bytes, on: port, &box) }
        /// All that the runner does for a batch.
        func round(_ box: inout Box) -> Int {
            put(frame, on: port, &box)
            let sent = output.count
            output.removeAll()
            if let deadline = box.deadline, deadline <= now { box.advance(to: now, into: &output) }
            _ = box.takeEvents()
            return sent
        }
        // The first frames make the flow, and the runtime its metadata.
        for _ in 0..<10 { _ = round(&box) }
        var sent = 0
        let before = malloc_counter_of_this_thread()
        for _ in 0..<rounds { sent += round(&box) }
        return (malloc_counter_of_this_thread() - before, sent)
    }

    @Test func `the counter counts`() {
        let before = malloc_counter_of_this_thread()
        var kept: [[UInt8]] = []
        for size in 1...100 { kept.append([UInt8](repeating: 0, count: size * 64)) }
        #expect(malloc_counter_of_this_thread() - before >= 100)
        #expect(kept.count == 100)
    }

    @Test func `a firewall forwards an established flow without an allocation`() throws {
        let ports = Self.ports()
        var firewall = try Firewall(FirewallConfiguration(name: "fw", ports: ports, routes: [], redundancy: nil))
        let (allocations, sent) = Self.measure(
            &firewall,
            neighbors: [
                (try Self.neighbor(Self.client, asks: ports[0]), 0),
                (try Self.neighbor(Self.server, asks: ports[1]), 1),
            ], frame: Self.datagram(to: Self.server, port: 53), rounds: 5000)
        #expect(sent == 5000)
        #expect(allocations == 0)
    }

    @Test(arguments: [NATPool.Filtering.endpointIndependent, .addressDependent])
    func `a firewall translates an established flow without an allocation, both ways`(
        filtering: NATPool.Filtering
    ) throws {
        let ports = Self.ports()
        let external = IPv4Address(192, 0, 2, 9)
        let pool = NATPool(name: "internet", addresses: [external], filtering: filtering)
        let nat = NATConfiguration(
            pools: [pool], rules: [NATRule(source: IPv4Network("198.51.100.0/24")!, pool: "internet")])
        var firewall = try Firewall(
            FirewallConfiguration(name: "fw", ports: ports, routes: [], redundancy: nil, nat: nat))
        let neighbors: [([UInt8], PortIndex)] = [
            (try Self.neighbor(Self.client, asks: ports[0]), 0), (try Self.neighbor(Self.server, asks: ports[1]), 1),
        ]
        let out = FiveTuple(
            source: Self.server, destination: Self.client, sourcePort: 5353, destinationPort: 40_000, protocol: .udp)
        let outbound = Self.measure(
            &firewall, neighbors: neighbors, frame: TestFrame.udp(from: Self.far, to: ports[1].mac, out), on: 1,
            rounds: 5000)
        #expect(outbound.sent == 5000)
        #expect(outbound.allocations == 0)
        // The mapping has the host's own port.
        let inbound = Self.measure(
            &firewall, neighbors: [], frame: Self.datagram(to: external, port: 5353), rounds: 5000)
        #expect(inbound.sent == 5000)
        #expect(inbound.allocations == 0)
    }

    @Test(arguments: [ServiceProfile.udpFastPath, .udpPerPacket])
    func `a balancer forwards an established flow without an allocation`(profile: ServiceProfile) throws {
        let ports = Self.ports()
        let address = IPv4Address(192, 0, 2, 100)
        let service = VirtualServiceConfiguration(
            name: "dns", address: address, port: 53, profile: profile, scheduler: .roundRobin, sourceTranslation: .off,
            members: [PoolMemberConfiguration(name: "b1", address: Self.server, port: 5353)], monitor: nil,
            idleTimeout: .seconds(60))
        var balancer = try LoadBalancer(
            LoadBalancerConfiguration(name: "lb", ports: ports, routes: [], services: [service]))
        let (allocations, sent) = Self.measure(
            &balancer,
            neighbors: [
                (try Self.neighbor(Self.client, asks: ports[0]), 0),
                (try Self.neighbor(Self.server, asks: ports[1]), 1),
            ], frame: Self.datagram(to: address, port: 53), rounds: 5000)
        #expect(sent == 5000)
        #expect(allocations == 0)
    }
}
