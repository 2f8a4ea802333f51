import Appliances
import Configuration
import Dataplane
import LabEvents
import PacketText
import Testing
import VirtualNetwork
import Wire

@Suite struct TunnelEndpointTests {
    private static let own = MACAddress(2, 0, 0, 0, 3, 1)
    private static let router = MACAddress(2, 0, 0, 0, 1, 1)
    private static let tunnelMAC = MACAddress(2, 0, 0, 0, 3, 0xff)
    private static let member = IPv4Address(10, 1, 0, 11)
    private static let balancer = IPv4Address(10, 0, 0, 5)
    private static let service = IPv4Address(10, 0, 0, 100)
    private static let client = IPv4Address(192, 0, 2, 10)

    static func configuration(clamps: Bool = false) -> TunnelEndpointConfiguration {
        TunnelEndpointConfiguration(
            name: "b1",
            ports: [
                PortConfiguration(name: "far", mac: own, address: IPv4InterfaceAddress(member, prefixLength: 24))
            ], encapsulation: .ipip, mac: tunnelMAC, locals: [member.erased], remotes: [balancer.erased],
            destinations: [service.erased],
            clampsSegmentSize: clamps)
    }

    /// With the link `far` and the interface `tunnel` into the kernel.
    private static func bench(_ configuration: TunnelEndpointConfiguration) throws -> BoxBench<TunnelEndpoint> {
        let bench = BoxBench(
            try TunnelEndpoint(configuration), ports: ["far", "tunnel"], reporter: .tunnelEnd, text: PacketText(),
            showsLink: false)
        bench.start()
        return bench
    }

    private static func tcp(
        from source: IPv4Address, to destination: IPv4Address, flags: TCPFlags = .syn, mss: UInt16? = 1460,
        sourceMAC: MACAddress = router, destinationMAC: MACAddress = own
    ) -> [UInt8] {
        var buffer = [UInt8](repeating: 0xa5, count: 200)
        let length = buffer.withUnsafeMutableBytes {
            FrameBuilder.tcp(
                TCPHeader(
                    sourcePort: 40_000, destinationPort: 7, sequence: 1, flags: flags, window: 1000,
                    maximumSegmentSize: mss), in: IPv4Header(source: source, destination: destination, protocol: .tcp),
                from: sourceMAC, to: destinationMAC, into: $0)
        }
        return Array(buffer.prefix(length!))
    }

    private static func wrapped(_ frame: [UInt8], from source: IPv4Address = balancer) -> [UInt8] {
        let tunnel = Tunnel(.ipip, from: source, to: member)
        var buffer = [UInt8](repeating: 0, count: tunnel.frameLength(packetLength: frame.count - 14))
        for index in 0..<12 { buffer[index] = frame[index] }
        let packet = Array(frame[14...])
        _ = buffer.withUnsafeMutableBytes { buffer in packet.withUnsafeBytes { tunnel.wrap($0, into: buffer) } }
        return buffer
    }

    @Test func `a tunnel packet comes out by the interface tunnel, for its MAC address`() throws {
        let endpoint = try Self.bench(Self.configuration())
        let packet = Self.tcp(from: Self.client, to: Self.service)
        let out = endpoint.box.process(Self.wrapped(packet), on: 0)
        #expect(out.count == 1)
        #expect(out[0].port == 1 && out[0].side == .wire)
        #expect(Array(out[0].bytes[..<6]) == [2, 0, 0, 0, 3, 0xff])
        #expect(Array(out[0].bytes[14...]) == Array(packet[14...]))
        #expect(endpoint.counter("tunnel.unwrapped") == 1)
    }

    @Test func `everything else from the link is the kernel's, as it is`() throws {
        let endpoint = try Self.bench(Self.configuration())
        let plain = Self.tcp(from: Self.client, to: Self.service)
        let flooded = Self.wrapped(Self.tcp(from: Self.client, to: Self.service, destinationMAC: Self.router))
        let garbage: [UInt8] = [1, 2, 3]
        for bytes in [plain, flooded, garbage] {
            let out = endpoint.box.process(bytes, on: 0)
            #expect(out.count == 1)
            #expect(out[0].port == 0 && out[0].side == .host)
            #expect(out[0].bytes == bytes)
        }
    }

    @Test func `a stranger's tunnel packet goes nowhere and is counted`() throws {
        let endpoint = try Self.bench(Self.configuration())
        let packet = Self.tcp(from: Self.client, to: Self.service)
        #expect(endpoint.box.process(Self.wrapped(packet, from: IPv4Address(10, 0, 0, 66)), on: 0).isEmpty)
        #expect(endpoint.counter("drop.tunnel-stranger") == 1)
    }

    @Test
    func `what the kernel sends leaves by the link, and its SYN-ACKs with the size that fits the tunnel where asked`()
        throws
    {
        for clamps in [false, true] {
            let endpoint = try Self.bench(Self.configuration(clamps: clamps))
            let answer = Self.tcp(
                from: Self.service, to: Self.client, flags: [.syn, .ack], sourceMAC: Self.own,
                destinationMAC: Self.router)
            let out = endpoint.box.process(answer, on: 0, side: .host)
            #expect(out.count == 1)
            #expect(out[0].port == 0 && out[0].side == .wire)
            let size = clamps ? 1440 : 1460
            #expect(Array(out[0].bytes[54..<58]) == [2, 4, UInt8(size >> 8), UInt8(size & 0xff)])
            var copy = out[0].bytes
            #expect(copy.withUnsafeMutableBytes { PacketView($0)!.isTransportChecksumValid })
            // Its own connections are no service's.
            let own = Self.tcp(from: Self.member, to: Self.client, sourceMAC: Self.own, destinationMAC: Self.router)
            #expect(endpoint.box.process(own, on: 0, side: .host)[0].bytes == own)
        }
    }

    @Test func `IPv6 in IPv6 comes out alike, its SYN-ACKs are clamped to 1400, and IPv4 is the kernel's`() throws {
        let (member, service) = (IPv6Address("2001:db8:3::11")!, IPv6Address("2001:db8:2::100")!)
        let (balancer, client) = (IPv6Address("2001:db8:2::5")!, IPv6Address("2001:db8:1::10")!)
        var configuration = Self.configuration(clamps: true)
        configuration.encapsulation = .ip6ip6
        configuration.ports[0].ipv6 = IPv6InterfaceAddress(member, prefixLength: 64)
        configuration.locals = [member.erased]
        configuration.remotes = [balancer.erased]
        configuration.destinations = [service.erased]
        let endpoint = try Self.bench(configuration)
        func tcp(_ source: IPv6Address, _ destination: IPv6Address, _ flags: TCPFlags, isIn: Bool) -> [UInt8] {
            var buffer = [UInt8](repeating: 0xa5, count: 200)
            let length = buffer.withUnsafeMutableBytes {
                FrameBuilder.tcp(
                    TCPHeader(
                        sourcePort: 40_000, destinationPort: 7, sequence: 1, flags: flags, window: 1000,
                        maximumSegmentSize: 1440),
                    in: IPv6Header(source: source, destination: destination, nextHeader: .tcp),
                    from: isIn ? Self.router : Self.own, to: isIn ? Self.own : Self.router, into: $0)
            }
            return Array(buffer.prefix(length!))
        }
        func wrapped(from source: IPv6Address) -> (outer: [UInt8], inner: [UInt8]) {
            let tunnel = IPv6Tunnel(.ip6ip6, from: source, to: member)
            let frame = tcp(client, service, .syn, isIn: true)
            let packet = Array(frame[14...])
            var buffer = [UInt8](repeating: 0, count: tunnel.frameLength(packetLength: packet.count))
            for index in 0..<12 { buffer[index] = frame[index] }
            _ = buffer.withUnsafeMutableBytes { buffer in packet.withUnsafeBytes { tunnel.wrap($0, into: buffer) } }
            return (buffer, packet)
        }
        let good = wrapped(from: balancer)
        let out = endpoint.box.process(good.outer, on: 0)
        #expect(out.count == 1 && out[0].port == 1 && out[0].side == .wire)
        #expect(Array(out[0].bytes[..<6]) == [2, 0, 0, 0, 3, 0xff])
        #expect(Array(out[0].bytes[12...]) == [0x86, 0xdd] + good.inner)
        #expect(endpoint.box.process(wrapped(from: IPv6Address("2001:db8:2::66")!).outer, on: 0).isEmpty)
        #expect(endpoint.counter("drop.tunnel-stranger") == 1)

        let answer = endpoint.box.process(tcp(service, client, [.syn, .ack], isIn: false), on: 0, side: .host)[0]
        #expect(Array(answer.bytes[74..<78]) == [2, 4, 1400 >> 8, 1400 & 0xff])
        var copy = answer.bytes
        #expect(copy.withUnsafeMutableBytes { IPv6PacketView($0)!.isTransportChecksumValid })

        let other = Self.wrapped(Self.tcp(from: Self.client, to: Self.service))
        #expect(endpoint.box.process(other, on: 0).map(\.side) == [.host])
    }

    @Test func `nothing goes into the tunnel at this end`() throws {
        let endpoint = try Self.bench(Self.configuration())
        #expect(endpoint.box.process(Self.tcp(from: Self.service, to: Self.client), on: 1).isEmpty)
        #expect(endpoint.counter("drop.no-route") == 1)
    }

    @Test func `a tunnel without a balancer is refused`() {
        var configuration = Self.configuration()
        configuration.remotes = []
        #expect(throws: ConfigurationError("no balancer sends through the tunnel of b1")) {
            _ = try TunnelEndpoint(configuration)
        }
    }
}
