import Appliances
import Configuration
import Dataplane
import LabEvents
import LabTime
import TestSupport
import Testing
import Wire

/// A dual-stack balancer between a router and two backends, in virtual time. Packets are text, short for
/// `in rt>lb0 tcp [source]:port > [destination]:port SYN`; every IPv6 frame that leaves has a right checksum.
final class IPv6BalancerBench {
    static let vip = IPv6Address("2001:db8:2::100")!
    static let insideAddress = IPv6Address("2001:db8:2::5")!
    static let serversAddress = IPv6Address("2001:db8:3::5")!
    static let client = IPv6Address("2001:db8:1::10")!
    static let router = IPv6Address("2001:db8:2::1")!
    static let b1 = IPv6Address("2001:db8:3::21")!
    static let b2 = IPv6Address("2001:db8:3::22")!
    static let macs: [String: MACAddress] = [
        "rt": MACAddress(2, 0, 0, 0, 1, 0xa), "rt-b": MACAddress(2, 0, 0, 0, 1, 0xb),
        "lb0": MACAddress(2, 0, 0, 0, 2, 0),
        "lb1": MACAddress(2, 0, 0, 0, 2, 1), "b1": MACAddress(2, 0, 0, 0, 3, 1), "b2": MACAddress(2, 0, 0, 0, 3, 2),
    ]

    var balancer: LoadBalancer
    var now = Instant(nanoseconds: 1_000_000_000)

    convenience init(
        _ profile: ServiceProfile, _ translation: SourceTranslation, scheduler: Scheduler = .roundRobin, mtu: Int = 1500
    ) throws {
        try self.init(Self.configuration(profile, translation, scheduler, mtu))
    }

    init(_ configuration: LoadBalancerConfiguration) throws {
        balancer = try LoadBalancer(configuration, flowCapacity: 1024)
        ask(Self.b1, "b1", for: Self.serversAddress, on: 1)
        ask(Self.b2, "b2", for: Self.serversAddress, on: 1)
        ask(Self.router, "rt", for: Self.insideAddress, on: 0)
    }

    static func configuration(
        _ profile: ServiceProfile, _ translation: SourceTranslation, _ scheduler: Scheduler = .roundRobin,
        _ mtu: Int = 1500
    ) -> LoadBalancerConfiguration {
        LoadBalancerConfiguration(
            name: "lb",
            ports: [
                PortConfiguration(
                    name: "inside", mac: Self.macs["lb0"]!, address: IPv4InterfaceAddress("198.51.100.5/24"),
                    ipv6: IPv6InterfaceAddress(insideAddress, prefixLength: 64)),
                PortConfiguration(
                    name: "servers", mac: Self.macs["lb1"]!, address: nil,
                    ipv6: IPv6InterfaceAddress(serversAddress, prefixLength: 64), mtu: mtu),
            ], routes: [RouteConfiguration(destination: .any, gateway: Self.router)],
            services: [
                VirtualServiceConfiguration(
                    name: "web", address: Self.vip, port: 80, profile: profile, scheduler: scheduler,
                    sourceTranslation: translation,
                    members: [
                        PoolMemberConfiguration(name: "b1", address: Self.b1, port: 8080),
                        PoolMemberConfiguration(name: "b2", address: Self.b2, port: 8080),
                    ], monitor: nil, idleTimeout: .seconds(60))
            ])
    }

    /// A neighbour asks for an address of the balancer, and so becomes known.
    func ask(_ source: IPv6Address, _ station: String, for target: IPv6Address, on port: PortIndex) {
        let bytes = Self.build {
            FrameBuilder.neighborSolicitation(for: target, from: source, mac: Self.macs[station]!, into: $0)
        }
        #expect(process(bytes, on: port).count == 1)
    }

    static func build(_ emit: (UnsafeMutableRawBufferPointer) -> Int?) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xa5, count: 2048)
        let length = bytes.withUnsafeMutableBytes { emit($0) }
        return Array(bytes.prefix(length!))
    }

    static func frame(_ text: String, size: Int = 4, hopLimit: UInt8 = 64) -> [UInt8] {
        let words = text.split(separator: " ").map(String.init)
        let link = words[0].split(separator: ">").map { Self.macs[String($0)]! }
        func end(_ word: String) -> (IPv6Address, UInt16) {
            let parts = word.dropFirst().split(separator: "]")
            return (IPv6Address(String(parts[0]))!, UInt16(parts[1].dropFirst())!)
        }
        let (source, sourcePort) = end(words[2])
        let (destination, destinationPort) = end(words[4])
        let header = IPv6Header(source: source, destination: destination, nextHeader: .none, hopLimit: hopLimit)
        let payload = [UInt8](repeating: 0x70, count: size)
        return build { buffer in
            payload.withUnsafeBytes { payload in
                words[1] == "tcp"
                    ? FrameBuilder.tcp(
                        TCPHeader(
                            sourcePort: sourcePort, destinationPort: destinationPort, sequence: 1, acknowledgement: 1,
                            flags: BalancerBench.flags(words[5]), window: 1000), in: header, from: link[0], to: link[1],
                        payload: payload, into: buffer)
                    : FrameBuilder.udp(
                        UDPHeader(sourcePort: sourcePort, destinationPort: destinationPort), in: header, from: link[0],
                        to: link[1], payload: payload, into: buffer)
            }
        }
    }

    func send(_ text: String, size: Int = 4, hopLimit: UInt8 = 64) -> [String] {
        let frame = Self.frame(text, size: size, hopLimit: hopLimit)
        return process(frame, on: text.hasPrefix("b") ? 1 : 0)
    }

    func process(_ bytes: [UInt8], on port: PortIndex) -> [String] {
        raw(bytes, on: port).map { Self.text($0.0, $0.1) }
    }

    /// - Parameter isDamaged: a wrong checksum that came in leaves as wrong
    func raw(_ bytes: [UInt8], on port: PortIndex, side: PortSide = .wire, isDamaged: Bool = false) -> [(
        PortIndex, [UInt8]
    )] {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 2048, alignment: 64)
        defer { memory.deallocate() }
        bytes.withUnsafeBytes { memory.copyMemory(from: $0.baseAddress!, byteCount: bytes.count) }
        var frame = Frame(base: memory, length: Int32(bytes.count), port: port, side: side)
        var output = FrameQueue()
        withUnsafePointer(to: &frame) {
            balancer.process(UnsafeBufferPointer(start: $0, count: 1), at: now, into: &output)
        }
        return (0..<output.count).map { index in
            let frame = output[index]
            if frame.side == .wire, !isDamaged, let packet = IPv6PacketView(frame.bytes) {
                #expect(packet.isTransportChecksumValid, "\(packet.fiveTuple) left with a wrong checksum")
            }
            return (frame.port, Array(UnsafeRawBufferPointer(frame.bytes)))
        }
    }

    static func text(_ port: PortIndex, _ bytes: [UInt8]) -> String {
        var bytes = bytes
        return bytes.withUnsafeMutableBytes { buffer in
            guard let packet = IPv6PacketView(buffer) else { return "\(port) ?" }
            func station(_ mac: MACAddress) -> String { Self.macs.first { $0.value == mac }?.key ?? mac.description }
            let link = "\(station(packet.sourceMAC))>\(station(packet.destinationMAC))"
            guard let icmp = packet.icmp else {
                return "\(link) \(packet.fiveTuple)" + (packet.ipProtocol == .tcp ? " \(packet.tcpFlags)" : "")
            }
            let about = IPv6FiveTuple.quoted(in: packet).map { " about \($0.fiveTuple)" } ?? ""
            return "\(link) icmpv6 \(packet.source) > \(packet.destination) \(icmp.type.rawValue)/\(icmp.code)\(about)"
        }
    }

    func pass(_ duration: Duration) {
        now = now + duration
        var output = FrameQueue()
        balancer.advance(to: now, into: &output)
    }

    func counter(_ name: String) -> UInt64 { balancer.counters.first { $0.name == name }?.value ?? .max }
}
