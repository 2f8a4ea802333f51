import Appliances
import Configuration
import Dataplane
import LabEvents
import LabTime
import Testing
import Wire

/// A load balancer between a firewall pair and two backends, in virtual time.
///
/// ```
/// client 192.0.2.50 ── fw-a | fw-b 198.51.100.1 ── inside lb servers ── b1 203.0.113.21, b2 203.0.113.22
/// ```
/// Packets are written and read as text, so that a test is a table:
/// `inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN`. Every frame that leaves is checked: IPv4
/// header and transport checksums right, nothing sent by a multicast address.
final class BalancerBench {
    static let client = IPv4Address(192, 0, 2, 50)
    static let vip = IPv4Address(198, 51, 100, 100)
    static let insideAddress = IPv4Address(198, 51, 100, 10)
    static let serversAddress = IPv4Address(203, 0, 113, 10)
    static let gateway = IPv4Address(198, 51, 100, 1)
    static let b1 = IPv4Address(203, 0, 113, 21)
    static let b2 = IPv4Address(203, 0, 113, 22)

    static let stations: [String: MACAddress] = [
        "fw-a": MACAddress(2, 0, 0, 0, 1, 0xa), "fw-b": MACAddress(2, 0, 0, 0, 1, 0xb),
        "lb.inside": MACAddress(2, 0, 0, 0, 2, 0), "lb.servers": MACAddress(2, 0, 0, 0, 2, 1),
        "b1": MACAddress(2, 0, 0, 0, 3, 1), "b2": MACAddress(2, 0, 0, 0, 3, 2), "all": .broadcast,
        "stranger": MACAddress(2, 0, 0, 0, 9, 9),
    ]

    static func service(
        _ profile: ServiceProfile, scheduler: Scheduler = .roundRobin, translation: SourceTranslation = .off,
        members: Int = 2, idle: Duration = .seconds(60), port: UInt16? = nil, name: String = "web"
    ) -> VirtualServiceConfiguration {
        VirtualServiceConfiguration(
            name: name, address: vip, port: port ?? (profile.transport == .tcp ? 80 : 53), profile: profile,
            scheduler: scheduler, sourceTranslation: translation,
            members: (1...members).map {
                PoolMemberConfiguration(
                    name: "b\($0)", address: IPv4Address(203, 0, 113, UInt8(20 + $0)),
                    port: profile.transport == .tcp ? 8080 : 5353)
            }, monitor: nil, idleTimeout: idle)
    }

    static func configuration(_ services: [VirtualServiceConfiguration]) -> LoadBalancerConfiguration {
        LoadBalancerConfiguration(
            name: "lb",
            ports: [
                PortConfiguration(
                    name: "inside", mac: stations["lb.inside"]!,
                    address: IPv4InterfaceAddress(insideAddress, prefixLength: 24)),
                PortConfiguration(
                    name: "servers", mac: stations["lb.servers"]!,
                    address: IPv4InterfaceAddress(serversAddress, prefixLength: 24)),
            ], routes: [RouteConfiguration(destination: .any, gateway: gateway)], services: services)
    }

    var balancer: LoadBalancer
    var now = Instant(nanoseconds: 1_000_000_000)

    /// - Parameter knowsNeighbors: whether firewall A and both backends have asked for the balancer before
    init(
        _ services: VirtualServiceConfiguration..., flowCapacity: Int = 1024, seed: UInt64 = 0,
        knowsNeighbors: Bool = true
    ) {
        // The configurations of the tests are right but where the error itself is tested.
        balancer = try! LoadBalancer(Self.configuration(services), flowCapacity: flowCapacity, seed: seed)
        stationsAnswer = knowsNeighbors
        guard knowsNeighbors else { return }
        for (station, address, own, port) in Self.neighbors { _ = arp(.request, station, address, for: own, on: port) }
    }

    private let stationsAnswer: Bool
    /// Who has asked the balancer for its own address before, and on which port.
    private static let neighbors: [(String, IPv4Address, IPv4Address, PortIndex)] = [
        ("fw-a", gateway, insideAddress, 0), ("b1", b1, serversAddress, 1), ("b2", b2, serversAddress, 1),
    ]

    // MARK: In

    /// Sends a packet written as text; see the type.
    func send(
        _ text: String, payload: [UInt8] = [0x70, 0x69, 0x6e, 0x67], timeToLive: UInt8 = 64, side: PortSide = .wire
    ) -> [String] {
        process(
            [(frame(text, payload: payload, timeToLive: timeToLive), text.hasPrefix("servers") ? 1 : 0)], side: side)
    }

    func frame(_ text: String, payload: [UInt8] = [0x70, 0x69, 0x6e, 0x67], timeToLive: UInt8 = 64) -> [UInt8] {
        let words = text.split(separator: " ").map(String.init)
        let link = words[1].split(separator: ">").map { Self.stations[String($0)]! }
        func endpoint(_ word: String) -> (IPv4Address, UInt16) {
            let parts = word.split(separator: ":")
            return (IPv4Address(String(parts[0]))!, UInt16(parts[1])!)
        }
        let (source, sourcePort) = endpoint(words[3])
        let (destination, destinationPort) = endpoint(words[5])
        let header = IPv4Header(
            source: source, destination: destination, protocol: words[2] == "tcp" ? .tcp : .udp, timeToLive: timeToLive)
        var buffer = [UInt8](repeating: 0xa5, count: 2048)
        let length = buffer.withUnsafeMutableBytes { buffer in
            payload.withUnsafeBytes { payload in
                words[2] == "tcp"
                    ? FrameBuilder.tcp(
                        TCPHeader(
                            sourcePort: sourcePort, destinationPort: destinationPort, sequence: 1, acknowledgement: 1,
                            flags: Self.flags(words[6]), window: 1000), in: header, from: link[0], to: link[1],
                        payload: payload, into: buffer)
                    : FrameBuilder.udp(
                        UDPHeader(sourcePort: sourcePort, destinationPort: destinationPort), in: header, from: link[0],
                        to: link[1], payload: payload, into: buffer)
            }
        }
        return Array(buffer.prefix(length!))
    }

    static func flags(_ text: String) -> TCPFlags {
        let all: [String: TCPFlags] = ["SYN": .syn, "ACK": .ack, "FIN": .fin, "RST": .rst, "PSH": .psh]
        return text.split(separator: ",").reduce(into: []) { $0.formUnion(all[String($1)]!) }
    }

    func arp(
        _ operation: ARPHeader.Operation, _ station: String, _ sender: IPv4Address, for target: IPv4Address,
        on port: PortIndex, to destination: String = "all"
    ) -> [String] {
        let mac = Self.stations[station]!
        var buffer = [UInt8](repeating: 0, count: FrameBuilder.arpLength)
        _ = buffer.withUnsafeMutableBytes {
            FrameBuilder.arp(
                ARPHeader(
                    operation: operation, senderMAC: mac, senderAddress: sender, targetMAC: .zero, targetAddress: target
                ),
                from: mac, to: Self.stations[destination]!, into: $0)
        }
        return process([(buffer, port)])
    }

    func process(_ frames: [([UInt8], PortIndex)], side: PortSide = .wire) -> [String] {
        raw(frames, side: side).map(Self.text)
    }

    /// What leaves: port, side and bytes.
    func raw(_ frames: [([UInt8], PortIndex)], side: PortSide = .wire) -> [(PortIndex, PortSide, [UInt8])] {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 2048 * max(1, frames.count), alignment: 64)
        defer { memory.deallocate() }
        var inputs: [Frame] = []
        for (index, (bytes, port)) in frames.enumerated() {
            let base = memory + 2048 * index
            bytes.withUnsafeBytes { base.copyMemory(from: $0.baseAddress!, byteCount: bytes.count) }
            inputs.append(Frame(base: base, length: Int32(bytes.count), port: port, side: side))
        }
        var output = FrameQueue()
        inputs.withUnsafeBufferPointer { balancer.process($0, at: now, into: &output) }
        return Self.collect(&output)
    }

    // MARK: Time and commands

    /// Lets time pass, firing every timer on the way. Stations that the balancer knew from the start answer its probes.
    func pass(_ duration: Duration) -> [String] {
        let end = now + duration
        var all: [String] = []
        while let deadline = balancer.deadline, deadline <= end {
            now = max(now, deadline)
            var output = FrameQueue()
            balancer.advance(to: now, into: &output)
            let sent = Self.collect(&output).map(Self.text)
            all += sent
            guard stationsAnswer else { continue }
            for (station, address, own, port) in Self.neighbors
            where sent.contains(where: { $0.contains("who-has \(address) ") }) {
                _ = arp(.reply, station, address, for: own, on: port, to: port == 0 ? "lb.inside" : "lb.servers")
            }
        }
        now = end
        return all
    }

    func perform(_ command: ApplianceCommand) -> ApplianceReply {
        var output = FrameQueue()
        return balancer.perform(command, at: now, into: &output)
    }

    func counter(_ name: String) -> UInt64 { balancer.counters.first { $0.name == name }?.value ?? .max }

    /// Every counter of drops that counted: `not-for-us 1`.
    var drops: [String] {
        balancer.counters.filter { $0.name.hasPrefix("drop.") && $0.value > 0 }
            .map { "\($0.name.dropFirst(5)) \($0.value)" }
    }

    // MARK: Out

    static func collect(_ output: inout FrameQueue) -> [(PortIndex, PortSide, [UInt8])] {
        var all: [(PortIndex, PortSide, [UInt8])] = []
        for index in 0..<output.count {
            let frame = output[index]
            #expect(!UnsafeRawPointer(frame.base).readMAC(at: 6).isMulticast)
            if frame.side == .wire, let packet = PacketView(frame.bytes) {
                #expect(packet.isTransportChecksumValid, "\(packet.fiveTuple) left with a wrong checksum")
            }
            all.append((frame.port, frame.side, Array(UnsafeRawBufferPointer(frame.bytes))))
        }
        output.removeAll()
        return all
    }

    static func text(_ port: PortIndex, _ side: PortSide, _ bytes: [UInt8]) -> String {
        var bytes = bytes
        return bytes.withUnsafeMutableBytes { buffer in
            let base = UnsafeRawPointer(buffer.baseAddress!)
            func station(_ mac: MACAddress) -> String { stations.first { $0.value == mac }?.key ?? mac.description }
            let place = (side == .host ? "host:" : "") + (port == 0 ? "inside" : "servers")
            let head = "\(place) \(station(base.readMAC(at: 6)))>\(station(base.readMAC(at: 0)))"
            switch ParsedFrame(buffer) {
            case .ipv4(let packet):
                var text = "\(head) \(packet.fiveTuple)"
                if packet.ipProtocol == .tcp { text += " \(packet.tcpFlags)" }
                if packet.ipProtocol == .icmp, let icmp = packet.icmp {
                    text = "\(head) icmp \(packet.source) > \(packet.destination) \(icmp.type.rawValue)/\(icmp.code)"
                    if let quoted = try? QuotedPacket(packet.payload) { text += " about \(quoted.fiveTuple)" }
                }
                return text
            case .arp(let arp):
                return arp.operation == .request
                    ? "\(head) who-has \(arp.targetAddress) tell \(arp.senderAddress)"
                    : "\(head) \(arp.senderAddress) is-at \(station(arp.senderMAC))"
            case .ipv6: return "\(head) ipv6"
            case .other(let type): return "\(head) \(type)"
            case .malformed(let error): return "\(head) \(error)"
            }
        }
    }
}
