import Appliances
import Configuration
import Dataplane
import LabEvents
import LabTime
import PacketText
import MallocCounter
import Redundancy
import Testing
import Wire

/// Links by which one frame arrives after the other, at first some others.
private struct RepeatingLinks: ApplianceLinks, ~Copyable {
    private var first: [([UInt8], PortIndex)]
    private let repeated: [UInt8]
    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 64)
    private(set) var sent = 0

    init(first: [([UInt8], PortIndex)], then repeated: [UInt8]) {
        self.first = first
        self.repeated = repeated
    }

    deinit { memory.deallocate() }

    var now: Instant { Instant(nanoseconds: 1_000_000_000) }

    mutating func receive(into frames: UnsafeMutableBufferPointer<Frame>) -> Int {
        let (bytes, port) = first.popLast() ?? (repeated, 0)
        memory.copyBytes(from: bytes)
        frames.initializeElement(
            at: 0, to: Frame(base: memory.baseAddress!, length: Int32(bytes.count), port: port, side: .wire))
        return 1
    }

    mutating func transmit(_ frames: borrowing FrameQueue) { sent += frames.count }
    mutating func release() {}
}

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
        PacketText().bytes(
            "udp \(client):40000 > \(destination):\(port) len 4", from: station, to: ports()[0].mac)
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

    @Test func `the driver of a box adds no allocation`() throws {
        let ports = Self.ports()
        let first = [
            (try Self.neighbor(Self.client, asks: ports[0]), PortIndex(0)),
            (try Self.neighbor(Self.server, asks: ports[1]), PortIndex(1)),
        ]
        var driver = ApplianceDriver(
            try Firewall(FirewallConfiguration(name: "fw", ports: ports, routes: [], redundancy: nil)),
            links: RepeatingLinks(first: first, then: Self.datagram(to: Self.server, port: 53)), output: FrameQueue())
        driver.start()
        func step() {
            _ = driver.receive()
            driver.advance()
            _ = driver.takeEvents()
        }
        for _ in 0..<10 { step() }
        let (sent, before) = (driver.links.sent, malloc_counter_of_this_thread())
        for _ in 0..<5000 { step() }
        let (allocations, left) = (malloc_counter_of_this_thread() - before, driver.links.sent - sent)
        #expect(allocations == 0)
        #expect(left == 5000)
    }

    /// The runner asks after each batch.
    @Test func `a firewall of a pair says when its next timer fires without an allocation`() throws {
        let sync = PortConfiguration(
            name: "sync", mac: MACAddress(2, 0, 0, 0, 1, 3), address: IPv4InterfaceAddress("10.0.0.1/30"))
        let redundancy = RedundancyConfiguration(
            peer: "fw-b", priority: 200, preempts: true, usesVirtualMAC: false,
            advertisementInterval: .milliseconds(100), heartbeatInterval: .milliseconds(50), heartbeatMisses: 3,
            crossConnect: CrossConnectConfiguration(port: "sync", peerAddress: IPv4Address(10, 0, 0, 2)),
            virtualRouters: [
                VirtualRouterConfiguration(port: "outside", id: 1, addresses: [IPv4Address(192, 0, 2, 100)]),
                VirtualRouterConfiguration(port: "inside", id: 2, addresses: [IPv4Address(198, 51, 100, 100)]),
            ])
        var firewall = try Firewall(
            FirewallConfiguration(name: "fw-a", ports: Self.ports() + [sync], routes: [], redundancy: redundancy))
        var output = FrameQueue()
        var now = Instant(nanoseconds: 1_000_000_000)
        firewall.start(at: now, into: &output)
        // As a Backup that waits, and as the Active that nobody answers.
        for role in [VirtualRouter.State.backup, .active] {
            while firewall.role != role {
                let deadline = firewall.deadline
                now = try #require(deadline)
                firewall.advance(to: now, into: &output)
                output.removeAll()
            }
            var asked: Instant?
            let before = malloc_counter_of_this_thread()
            for _ in 0..<1000 { asked = firewall.deadline }
            #expect(malloc_counter_of_this_thread() - before == 0, "\(role)")
            #expect(asked != nil)
        }
    }

    @Test func `a firewall that reads FTP forwards other flows, and what it reads, without an allocation`() throws {
        let ports = Self.ports()
        let control = FiveTuple(
            source: Self.client, destination: Self.server, sourcePort: 40_000, destinationPort: 21, protocol: .tcp)
        let (station, mac) = (Self.station, ports[0].mac)
        let syn = PacketText().bytes("\(control.text) SYN", from: station, to: mac)
        // Read once and then repeated: at its first time it opens a pinhole.
        let announcement = PacketText().bytes(
            #"\#(control.text) PSH,ACK seq 2 payload "NOOP\r\nPORT 192,0,2,10,15,160\r\n""#, from: station, to: mac)
        for (frame, opened) in [(Self.datagram(to: Self.server, port: 53), UInt64(0)), (announcement, 1)] {
            var firewall = try Firewall(
                FirewallConfiguration(
                    name: "fw", ports: ports, routes: [], redundancy: nil, applicationGateways: [.ftp]))
            let (allocations, sent) = Self.measure(
                &firewall,
                neighbors: [
                    (try Self.neighbor(Self.client, asks: ports[0]), 0),
                    (try Self.neighbor(Self.server, asks: ports[1]), 1), (syn, 0),
                ], frame: frame, rounds: 5000)
            #expect(sent == 5000)
            #expect(allocations == 0)
            #expect(firewall.counters.first { $0.name == "pinholes.opened" }?.value == opened)
        }
    }

    @Test(arguments: [ServiceProfile.udpFastPath, .udpPerPacket], [DirectReturnConfiguration.Mode.l2, .ipip, .gre])
    func `direct server return carries an established flow without an allocation`(
        profile: ServiceProfile, mode: DirectReturnConfiguration.Mode
    ) throws {
        let ports = Self.ports()
        let address = IPv4Address(192, 0, 2, 100)
        let service = VirtualServiceConfiguration(
            name: "dns", address: address, port: 53, profile: profile, scheduler: .consistentHash,
            sourceTranslation: .off, members: [PoolMemberConfiguration(name: "b1", address: Self.server, port: 53)],
            monitor: MonitorConfiguration(
                kind: .tcp, interval: .seconds(1), timeout: .seconds(1), fall: 1, rise: 1),
            idleTimeout: .seconds(60),
            directReturn: DirectReturnConfiguration(mode: mode, clampsSegmentSize: mode != .l2))
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

    @Test(arguments: [Encapsulation.ipip, .gre])
    func `the end of a tunnel unwraps without an allocation`(encapsulation: Encapsulation) throws {
        let service = IPv4Address(203, 0, 113, 80)
        let balancer = IPv4Address(192, 0, 2, 5)
        let ports = Self.ports()
        var endpoint = try TunnelEndpoint(
            TunnelEndpointConfiguration(
                name: "b1", ports: ports, encapsulation: encapsulation, mac: MACAddress(2, 0, 0, 0, 1, 0xff),
                locals: [ports[0].address!.address.erased], remotes: [balancer.erased], destinations: [service.erased],
                clampsSegmentSize: true))
        let datagram = Self.datagram(to: service, port: 53)
        let tunnel = Tunnel(encapsulation, from: balancer, to: ports[0].address!.address)
        var frame = [UInt8](repeating: 0, count: tunnel.frameLength(packetLength: datagram.count - 14))
        for index in 0..<12 { frame[index] = datagram[index] }
        let packet = Array(datagram[14...])
        _ = frame.withUnsafeMutableBytes { buffer in packet.withUnsafeBytes { tunnel.wrap($0, into: buffer) } }
        let (allocations, sent) = Self.measure(&endpoint, neighbors: [], frame: frame, rounds: 5000)
        #expect(sent == 5000)
        #expect(allocations == 0)
        #expect(endpoint.counters.first { $0.name == "tunnel.unwrapped" }?.value == 5010)
    }

    @Test func `IPv6 in IPv6 is wrapped and unwrapped without an allocation`() throws {
        let (service, member) = (IPv6Address("2001:db8:2::100")!, IPv6Address("2001:db8:3::11")!)
        let (own, client) = (IPv6Address("2001:db8:2::5")!, IPv6Address("2001:db8:2::10")!)
        var ports = Self.ports()
        ports[0].ipv6 = IPv6InterfaceAddress(own, prefixLength: 64)
        ports[1].ipv6 = IPv6InterfaceAddress(IPv6Address("2001:db8:3::5")!, prefixLength: 64)
        let configuration = VirtualServiceConfiguration(
            name: "dns", address: service, port: 53, profile: .udpFastPath, scheduler: .consistentHash,
            sourceTranslation: .off, members: [PoolMemberConfiguration(name: "b1", address: member, port: 53)],
            monitor: nil, idleTimeout: .seconds(60), directReturn: DirectReturnConfiguration(mode: .ip6ip6))
        var balancer = try LoadBalancer(
            LoadBalancerConfiguration(name: "lb", ports: ports, routes: [], services: [configuration]))
        func frame(_ emit: (UnsafeMutableRawBufferPointer) -> Int?) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: 2048)
            let length = bytes.withUnsafeMutableBytes { emit($0) }
            return Array(bytes.prefix(length ?? 0))
        }
        let payload = [UInt8](repeating: 1, count: 100)
        let datagram = frame { buffer in
            payload.withUnsafeBytes {
                FrameBuilder.udp(
                    UDPHeader(sourcePort: 40_000, destinationPort: 53),
                    in: IPv6Header(source: client, destination: service, nextHeader: .udp),
                    from: MACAddress(2, 0, 0, 0, 9, 1),
                    to: ports[0].mac, payload: $0, into: buffer)
            }
        }
        let neighbors = [
            (IPv6Address("2001:db8:3::5")!, member, ports[1], PortIndex(1)), (own, client, ports[0], PortIndex(0)),
        ].map { target, source, port, index in
            (
                frame {
                    FrameBuilder.neighborSolicitation(
                        for: target, from: source, mac: MACAddress(2, 0, 0, 0, 9, UInt8(index) + 1), into: $0)
                }, index
            )
        }
        let wrapping = Self.measure(&balancer, neighbors: neighbors, frame: datagram, rounds: 5000)
        #expect(wrapping.sent == 5000)
        #expect(wrapping.allocations == 0)
        #expect(balancer.counters.first { $0.name == "tunnel.wrapped" }?.value == 5010)

        var endpoint = try TunnelEndpoint(
            TunnelEndpointConfiguration(
                name: "b1", ports: ports, encapsulation: .ip6ip6, mac: MACAddress(2, 0, 0, 0, 1, 0xff),
                locals: [own.erased], remotes: [member.erased], destinations: [service.erased], clampsSegmentSize: true)
        )
        let tunnel = IPv6Tunnel(.ip6ip6, from: member, to: own)
        var outer = [UInt8](repeating: 0, count: tunnel.frameLength(packetLength: datagram.count - 14))
        for index in 0..<12 { outer[index] = datagram[index] }
        let packet = Array(datagram[14...])
        _ = outer.withUnsafeMutableBytes { buffer in packet.withUnsafeBytes { tunnel.wrap($0, into: buffer) } }
        let unwrapping = Self.measure(&endpoint, neighbors: [], frame: outer, rounds: 5000)
        #expect(unwrapping.sent == 5000)
        #expect(unwrapping.allocations == 0)
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
            &firewall, neighbors: neighbors,
            frame: PacketText().bytes("\(out.text) len 4", from: Self.far, to: ports[1].mac), on: 1, rounds: 5000)
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

    /// A segment of an established connection, again and again: of both profiles, both modes and every way of filtering.
    @Test(arguments: [StateProfile.nsxGateway, .pf], [GatewayMode.routed, .transparent])
    func `a gateway firewall passes frames of an established state without an allocation`(
        profile: StateProfile, mode: GatewayMode
    ) throws {
        var ports = Self.ports()
        if mode == .transparent { for index in ports.indices { ports[index].address = nil } }
        var gateway = try GatewayFirewall(
            GatewayFirewallConfiguration(
                name: "gw", ports: ports, mode: mode, profile: profile,
                filtering: profile == .pf ? [.both, .both] : [.inboundOnly, .off]))
        let flow = FiveTuple(
            source: Self.client, destination: Self.server, sourcePort: 40_000, destinationPort: 80, protocol: .tcp)
        func segment(
            _ flags: TCPFlags, _ sequence: UInt32, ack: UInt32, reply: Bool = false, payload: Int = 0
        ) -> [UInt8] {
            GatewayBench.tcp(
                reply ? flow.reversed : flow, flags, sequence: sequence, acknowledgement: ack, payload: payload,
                from: reply ? Self.far : Self.station, to: Self.ports()[reply ? 1 : 0].mac)
        }
        let neighbors: [([UInt8], PortIndex)] =
            mode == .routed
            ? [
                (try Self.neighbor(Self.client, asks: Self.ports()[0]), PortIndex(0)),
                (try Self.neighbor(Self.server, asks: Self.ports()[1]), PortIndex(1)),
            ] : []
        let handshake: [([UInt8], PortIndex)] = [
            (segment(.syn, 1000, ack: 0), 0), (segment([.syn, .ack], 5000, ack: 1001, reply: true), 1),
            (segment(.ack, 1001, ack: 5001), 0),
        ]
        let (allocations, sent) = Self.measure(
            &gateway, neighbors: neighbors + handshake,
            frame: segment([.ack, .psh], 1001, ack: 5001, payload: 100), rounds: 5000)
        #expect(sent == 5000)
        #expect(allocations == 0)
        guard
            case .connections(let list) = {
                var queue = FrameQueue()
                return gateway.perform(.connections, at: Instant(nanoseconds: 1_000_000_000), into: &queue)
            }()
        else {
            Issue.record("no table")
            return
        }
        #expect(list.connections.map(\.state) == ["ESTABLISHED:ESTABLISHED"])
    }

    @Test(arguments: [ServiceProfile.udpFastPath, .udpPerPacket])
    func `a balancer forwards an established flow over IPv6 without an allocation`(profile: ServiceProfile) throws {
        let addresses = ["2001:db8:1::1", "2001:db8:2::1", "2001:db8:1::10", "2001:db8:2::20", "2001:db8:1::100"]
            .map { IPv6Address($0)! }
        let ports = Self.ports().enumerated().map { index, port in
            PortConfiguration(
                name: port.name, mac: port.mac, address: nil,
                ipv6: IPv6InterfaceAddress(addresses[index], prefixLength: 64))
        }
        func frame(_ emit: (UnsafeMutableRawBufferPointer) -> Int?) throws -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: 200)
            let length = bytes.withUnsafeMutableBytes { emit($0) }
            return Array(bytes.prefix(try #require(length)))
        }
        let service = VirtualServiceConfiguration(
            name: "dns", address: addresses[4], port: 53, profile: profile, scheduler: .consistentHash,
            sourceTranslation: .off, members: [PoolMemberConfiguration(name: "b1", address: addresses[3], port: 5353)],
            monitor: nil, idleTimeout: .seconds(60))
        var balancer = try LoadBalancer(
            LoadBalancerConfiguration(name: "lb", ports: ports, routes: [], services: [service]))
        let payload: [UInt8] = [1, 2, 3, 4]
        let datagram = try frame { buffer in
            payload.withUnsafeBytes {
                FrameBuilder.udp(
                    UDPHeader(sourcePort: 40_000, destinationPort: 53),
                    in: IPv6Header(source: addresses[2], destination: addresses[4], nextHeader: .udp),
                    from: Self.station, to: ports[0].mac, payload: $0, into: buffer)
            }
        }
        let neighbors: [([UInt8], PortIndex)] = [
            (
                try frame {
                    FrameBuilder.neighborSolicitation(
                        for: addresses[0], from: addresses[2], mac: Self.station, into: $0)
                }, 0
            ),
            (
                try frame {
                    FrameBuilder.neighborSolicitation(for: addresses[1], from: addresses[3], mac: Self.far, into: $0)
                }, 1
            ),
        ]
        let (allocations, sent) = Self.measure(&balancer, neighbors: neighbors, frame: datagram, rounds: 5000)
        #expect(sent == 5000)
        #expect(allocations == 0)
    }
}
