import Appliances
import Configuration
import Dataplane
import LabEvents
import PacketText
import Testing
import VirtualNetwork
import Wire

/// A lone firewall with NAT between two inside hosts and the world, in virtual time.
///
/// ```
/// .10, .11 ── inside 10.0.0.0/24 ── .1 fw .1 ── outside 192.0.2.0/24 ── router .254 ── 203.0.113.0/24 and the rest
/// ```
/// Everybody answers ARP; questions are not shown.
final class NATBench: BoxBench<Firewall> {
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

    init(
        _ pools: [NATPool] = [NATBench.pool("192.0.2.9")], rules: [NATRule]? = nil, sessionCapacity: Int = 1024,
        outsideMTU: Int = 1500
    ) {
        var text = PacketText()
        text.defaults.identification = 100
        // The configurations of the tests are right but where the error itself is tested.
        super.init(
            try! Firewall(
                Self.configuration(pools, rules, outsideMTU: outsideMTU), sessionCapacity: sessionCapacity),
            ports: Self.ports, reporter: .firewall, text: text, showsLink: false)
        let hubs = Self.ports.map { network.addSwitch($0) }
        for (port, hub) in hubs.enumerated() { network.connect(hub, to: box, port: port) }
        start(
            asking: Self.neighbors.map { address, port in
                let host = network.addHost(
                    "\(address)", mac: Self.station(address), addresses: [.ipv4(address)])
                network.connect(hubs[Int(port)], to: host)
                return (host, .ipv4(Self.own[Int(port)]))
            })
    }

    func arp(_ operation: ARPHeader.Operation, _ sender: IPv4Address, for target: IPv4Address, on port: PortIndex)
        -> [String]
    {
        let question = bytes(
            "arp who-has \(target) tell \(sender)", payload: [], from: Self.station(sender), to: .broadcast)
        return shown([BoxFrame(question, port: port)])
    }

    // MARK: Packets

    /// What leaves because of a packet.
    @discardableResult
    func send(_ packet: String, payload: [UInt8] = [1, 2, 3, 4], timeToLive: UInt8 = 64) -> [String] {
        shown([frame(packet, payload: payload, timeToLive: timeToLive)])
    }

    /// `inside udp 10.0.0.10:4000 > 203.0.113.5:53`, `inside icmp 10.0.0.10 > 203.0.113.5 8/0 id 7`,
    /// `inside ip47 10.0.0.10 > 203.0.113.5`, from the station of the source, or from the router outside
    func frame(_ packet: String, payload: [UInt8] = [1, 2, 3, 4], timeToLive: UInt8 = 64) -> BoxFrame {
        let words = packet.split(separator: " ", maxSplits: 1)
        let port = PortIndex(Self.ports.firstIndex(of: String(words[0]))!)
        let source = words[1].split(separator: " ")[1].split(separator: ":")[0]
        text.defaults.identification &+= 1
        return BoxFrame(
            bytes(
                String(words[1]), payload: payload, timeToLive: timeToLive,
                from: Self.station(port == 0 ? Self.router : IPv4Address(String(source))!), to: Self.mac(port)),
            port: port)
    }

    @discardableResult
    override func pass(_ duration: Duration) -> [String] { super.pass(duration).filter { !$0.contains(" arp ") } }

    private func shown(_ frames: [BoxFrame]) -> [String] {
        raw(frames).map(line).filter { !$0.contains(" arp who-has ") }
    }

    /// An ICMP error from `source` about a packet that left the firewall, which quotes all of it.
    func sendError(
        _ kind: String, from source: String, about seen: [UInt8], on port: String, quoting limit: Int = 60,
        change: (inout [UInt8]) -> Void = { _ in }
    ) -> [String] {
        var quote = Array(seen[14...].prefix(limit))
        change(&quote)
        let sender = seen.withUnsafeBytes { $0.baseAddress!.readIPv4(at: 26) }
        return send("\(port) icmp \(source) > \(sender) \(kind)", payload: quote)
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
