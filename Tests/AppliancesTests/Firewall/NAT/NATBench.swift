import Appliances
import Configuration
import Dataplane
import LabEvents
import LabTime
import Testing
import Wire

/// A lone firewall with NAT between two inside hosts and the world, in virtual time.
///
/// ```
/// .10, .11 ── inside 10.0.0.0/24 ── .1 fw .1 ── outside 192.0.2.0/24 ── router .254 ── 203.0.113.0/24 and the rest
/// ```
/// Packets are written and read as text, so that a test is a table: `inside tcp 10.0.0.10:4000 > 203.0.113.5:80 SYN`,
/// where the first word is the port of the firewall that the packet comes in or leaves by. Every packet that leaves is
/// checked: IPv4 header, transport and quoted header checksums right. Everybody answers ARP; ARP is not shown.
final class NATBench {
    static let router = IPv4Address(192, 0, 2, 254)
    static let neighbors: [(IPv4Address, PortIndex)] = [
        (router, 0), (IPv4Address(192, 0, 2, 77), 0), (IPv4Address(10, 0, 0, 10), 1), (IPv4Address(10, 0, 0, 11), 1),
        (IPv4Address(10, 0, 0, 12), 1), (IPv4Address(10, 0, 0, 13), 1),
    ]
    static let ports = ["outside", "inside"]
    static let own = [IPv4Address(192, 0, 2, 1), IPv4Address(10, 0, 0, 1)]

    static func mac(_ port: PortIndex) -> MACAddress { MACAddress(2, 0, 0, 0, 1, port) }
    static func station(_ address: IPv4Address) -> MACAddress {
        MACAddress(
            2, 0, 0, 1, UInt8(truncatingIfNeeded: address.rawValue >> 24), UInt8(truncatingIfNeeded: address.rawValue))
    }

    /// One pool with one address that no interface has.
    static func pool(
        _ addresses: String..., name: String = "internet", ports: ClosedRange<UInt16> = NATPool.everyPort,
        filtering: NATPool.Filtering = .endpointIndependent, pooling: NATPool.Pooling = .paired
    ) -> NATPool {
        NATPool(
            name: name, addresses: addresses.map { IPv4Address($0)! }, ports: ports, filtering: filtering,
            pooling: pooling)
    }

    static func rule(
        _ source: String = "10.0.0.0/24", to destination: String = "0.0.0.0/0", only proto: IPProtocol? = nil,
        ports: ClosedRange<UInt16> = 0...65535, pool: String? = "internet"
    ) -> NATRule {
        NATRule(
            source: IPv4Network(source)!, destination: IPv4Network(destination)!, protocol: proto,
            destinationPorts: ports, pool: pool)
    }

    static func configuration(
        _ pools: [NATPool], _ rules: [NATRule]? = nil, outsideMTU: Int = 1500
    ) -> FirewallConfiguration {
        FirewallConfiguration(
            name: "fw",
            ports: (0..<2).map {
                PortConfiguration(
                    name: ports[$0], mac: mac(PortIndex($0)), address: IPv4InterfaceAddress(own[$0], prefixLength: 24),
                    mtu: $0 == 0 ? outsideMTU : 1500)
            }, routes: [RouteConfiguration(destination: .any, gateway: router)], redundancy: nil,
            nat: NATConfiguration(pools: pools, rules: rules ?? [rule(pool: pools[0].name)]))
    }

    var firewall: Firewall
    var now = Instant(nanoseconds: 1_000_000_000)
    var events: [ApplianceEvent] = []
    /// Off for frames that come in damaged already: what a translator corrects is the change alone.
    var checksChecksums = true
    private var identification: UInt16 = 100

    init(
        _ pools: [NATPool] = [NATBench.pool("192.0.2.9")], rules: [NATRule]? = nil, sessionCapacity: Int = 1024,
        outsideMTU: Int = 1500
    ) {
        // The configurations of the tests are right but where the error itself is tested.
        firewall = try! Firewall(
            Self.configuration(pools, rules, outsideMTU: outsideMTU), sessionCapacity: sessionCapacity)
        for (address, port) in Self.neighbors { answer(address, on: port) }
    }

    private func answer(_ address: IPv4Address, on port: PortIndex) {
        _ = arp(.request, address, for: Self.own[Int(port)], on: port)
    }

    func arp(_ operation: ARPHeader.Operation, _ sender: IPv4Address, for target: IPv4Address, on port: PortIndex)
        -> [String]
    {
        var buffer = [UInt8](repeating: 0, count: FrameBuilder.arpLength)
        let header = ARPHeader(
            operation: operation, senderMAC: Self.station(sender), senderAddress: sender, targetMAC: .zero,
            targetAddress: target)
        _ = buffer.withUnsafeMutableBytes {
            FrameBuilder.arp(header, from: Self.station(sender), to: .broadcast, into: $0)
        }
        return raw([(buffer, port)]).map(Self.text)
    }

    // MARK: In

    /// Sends a packet written as text; see the type.
    @discardableResult
    func send(_ text: String, payload: [UInt8] = [1, 2, 3, 4], timeToLive: UInt8 = 64) -> [String] {
        raw([frame(text, payload: payload, timeToLive: timeToLive)]).map(Self.text)
    }

    /// `inside udp 10.0.0.10:4000 > 203.0.113.5:53`, `inside icmp 8/0 10.0.0.10 > 203.0.113.5 id 7`,
    /// `inside ip47 10.0.0.10 > 203.0.113.5`
    func frame(_ text: String, payload: [UInt8] = [1, 2, 3, 4], timeToLive: UInt8 = 64) -> ([UInt8], PortIndex) {
        let words = text.split(separator: " ").map(String.init)
        let port = PortIndex(Self.ports.firstIndex(of: words[0])!)
        func endpoint(_ word: String) -> (IPv4Address, UInt16) {
            let parts = word.split(separator: ":")
            return (IPv4Address(String(parts[0]))!, parts.count > 1 ? UInt16(parts[1])! : 0)
        }
        let first = words[1] == "icmp" ? 3 : 2
        let (source, sourcePort) = endpoint(words[first])
        let (destination, destinationPort) = endpoint(words[first + 2])
        let from = port == 0 ? Self.station(Self.router) : Self.station(source)
        identification &+= 1
        let header = IPv4Header(
            source: source, destination: destination, protocol: .tcp, timeToLive: timeToLive,
            identification: identification)
        var buffer = [UInt8](repeating: 0xa5, count: 2048)
        let length = buffer.withUnsafeMutableBytes { buffer in
            payload.withUnsafeBytes { payload -> Int? in
                switch words[1] {
                case "tcp":
                    return FrameBuilder.tcp(
                        TCPHeader(
                            sourcePort: sourcePort, destinationPort: destinationPort, sequence: 1, acknowledgement: 1,
                            flags: Self.flags(words[5]), window: 1000), in: header, from: from, to: Self.mac(port),
                        payload: payload, into: buffer)
                case "udp":
                    return FrameBuilder.udp(
                        UDPHeader(sourcePort: sourcePort, destinationPort: destinationPort), in: header, from: from,
                        to: Self.mac(port), payload: payload, into: buffer)
                case "icmp":
                    let kind = words[2].split(separator: "/").map { UInt8($0)! }
                    let rest = words.count > 7 ? UInt32(words[7])! << 16 | 1 : 0
                    return FrameBuilder.icmp(
                        ICMPv4Header(type: ICMPv4Type(rawValue: kind[0]), code: kind[1], rest: rest), in: header,
                        from: from, to: Self.mac(port), payload: payload, into: buffer)
                default:
                    var other = header
                    other.protocol = IPProtocol(rawValue: UInt8(words[1].dropFirst(2))!)
                    let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[34...])
                    rest.copyMemory(from: payload)
                    _ = EthernetHeader(destination: Self.mac(port), source: from, etherType: .ipv4).emit(into: buffer)
                    return other.emit(
                        into: UnsafeMutableRawBufferPointer(rebasing: buffer[14...]), payloadLength: payload.count
                    ).map { 14 + $0 + payload.count }
                }
            }
        }
        return (Array(buffer.prefix(length!)), port)
    }

    /// An ICMP error from `source` about a packet that left the firewall, which quotes all of it.
    func sendError(
        _ kind: String, from source: String, about seen: [UInt8], on port: String, quoting limit: Int = 60,
        change: (inout [UInt8]) -> Void = { _ in }
    ) -> [String] {
        var quote = Array(seen[14...].prefix(limit))
        change(&quote)
        let sender = seen.withUnsafeBytes { $0.baseAddress!.readIPv4(at: 26) }
        return send("\(port) icmp \(kind) \(source) > \(sender)", payload: quote)
    }

    /// The pieces of a frame, of at most `size` bytes of data each (a multiple of 8).
    static func fragments(_ frame: [UInt8], size: Int, identification: UInt16) -> [[UInt8]] {
        let data = Array(frame[34...])
        return stride(from: 0, to: data.count, by: size).map { start in
            let piece = Array(data[start..<min(start + size, data.count)])
            var bytes = Array(frame[..<34]) + piece
            let isLast = start + size >= data.count
            bytes.withUnsafeMutableBytes { buffer in
                let base = buffer.baseAddress!
                base.write(UInt16(20 + piece.count), at: 16)
                base.write(identification, at: 18)
                base.write(UInt16(start / 8) | (isLast ? 0 : 0x2000), at: 20)
                base.write(UInt16(0), at: 24)
                base.write(Checksum.of(UnsafeRawBufferPointer(start: base + 14, count: 20)), at: 24)
            }
            return bytes
        }
    }

    static func flags(_ text: String) -> TCPFlags {
        let all: [String: TCPFlags] = ["SYN": .syn, "ACK": .ack, "FIN": .fin, "RST": .rst, "PSH": .psh]
        return text.split(separator: ",").reduce(into: []) { $0.formUnion(all[String($1)]!) }
    }

    /// What leaves: port, side and bytes. Questions for neighbours are answered.
    func raw(_ frames: [([UInt8], PortIndex)]) -> [(PortIndex, PortSide, [UInt8])] {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 2048 * max(1, frames.count), alignment: 64)
        defer { memory.deallocate() }
        var inputs: [Frame] = []
        for (index, (bytes, port)) in frames.enumerated() {
            let base = memory + 2048 * index
            bytes.withUnsafeBytes { base.copyMemory(from: $0.baseAddress!, byteCount: bytes.count) }
            inputs.append(Frame(base: base, length: Int32(bytes.count), port: port, side: .wire))
        }
        var output = FrameQueue()
        inputs.withUnsafeBufferPointer { firewall.process($0, at: now, into: &output) }
        return collect(&output)
    }

    // MARK: Time

    /// Lets time pass, firing every timer on the way.
    @discardableResult
    func pass(_ duration: Duration) -> [String] {
        let end = now + duration
        var all: [String] = []
        while let deadline = firewall.deadline, deadline <= end {
            now = max(now, deadline)
            var output = FrameQueue()
            firewall.advance(to: now, into: &output)
            all += collect(&output).map(Self.text)
        }
        now = end
        return all
    }

    func counter(_ name: String) -> UInt64 { firewall.counters.first { $0.name == name }?.value ?? .max }

    /// Every counter of drops that counted: `no-mapping 1`.
    var drops: [String] {
        firewall.counters.filter { $0.name.hasPrefix("drop.") && $0.value > 0 }
            .map { "\($0.name.dropFirst(5)) \($0.value)" }
    }

    // MARK: Out

    private func collect(_ output: inout FrameQueue) -> [(PortIndex, PortSide, [UInt8])] {
        var all: [(PortIndex, PortSide, [UInt8])] = []
        var questions: [(IPv4Address, PortIndex)] = []
        for index in 0..<output.count {
            let frame = output[index]
            switch ParsedFrame(frame.bytes) {
            case .arp(let header) where header.operation == .request:
                if Self.neighbors.contains(where: { $0 == (header.targetAddress, frame.port) }) {
                    questions.append((header.targetAddress, frame.port))
                }
            case .ipv4(let packet):
                if frame.side == .wire, checksChecksums {
                    #expect(packet.isTransportChecksumValid, "\(packet.fiveTuple) left with a wrong checksum")
                    if let quoted = packet.quoted {
                        let header = UnsafeRawBufferPointer(rebasing: packet.payload.prefix(quoted.transportOffset))
                        #expect(Checksum.isValid(header), "a quoted header left with a wrong checksum")
                    }
                }
                all.append((frame.port, frame.side, Array(UnsafeRawBufferPointer(frame.bytes))))
            case .arp: all.append((frame.port, frame.side, Array(UnsafeRawBufferPointer(frame.bytes))))
            default: Issue.record("a frame left that is neither IPv4 nor ARP")
            }
        }
        output.removeAll()
        events += asDeclared(firewall.takeEvents(), of: .firewall)
        for (address, port) in questions { answer(address, on: port) }
        return all
    }

    static func text(_ port: PortIndex, _ side: PortSide, _ bytes: [UInt8]) -> String {
        var bytes = bytes
        return bytes.withUnsafeMutableBytes { buffer in
            let place = (side == .host ? "host:" : "") + ports[Int(port)]
            switch ParsedFrame(buffer) {
            case .ipv4(let packet):
                let flow = packet.fiveTuple
                if packet.layout.fragment == .later {
                    return "\(place) \(flow.protocol) \(flow.source) > \(flow.destination) +\(packet.fragmentOffset)"
                }
                var text = "\(place) \(flow)"
                if packet.ipProtocol == .tcp { text += " \(packet.tcpFlags)" }
                if packet.ipProtocol == .icmp, let icmp = packet.icmp {
                    text = "\(place) icmp \(icmp.type.rawValue)/\(icmp.code) \(packet.source) > \(packet.destination)"
                    if icmp.type.isQuery { text += " id \(icmp.identifier)" }
                    if let quoted = packet.quoted { text += " about \(quoted.fiveTuple)" }
                }
                if packet.layout.fragment == .first { text += " +0" }
                return text
            case .arp(let arp): return "\(place) \(arp.senderAddress) is-at \(arp.senderMAC)"
            default: return "\(place) ?"
            }
        }
    }
}

/// Description, packet in, packets out, drops so far.
struct NATRow {
    let description: String
    let packet: String
    let out: [String]
    let drops: [String]

    init(_ description: String, _ packet: String, _ out: String..., drops: [String] = []) {
        self.description = description
        self.packet = packet
        self.out = out
        self.drops = drops
    }

    static func run(_ rows: [NATRow], on bench: NATBench) {
        for row in rows {
            #expect(bench.send(row.packet) == row.out, "\(row.description)")
            #expect(bench.drops == row.drops, "\(row.description)")
        }
    }
}
