import Appliances
import Configuration
import Dataplane
import LabEvents
import PacketText
import VirtualNetwork
import Wire

/// A load balancer between a firewall pair and two backends, in virtual time.
///
/// ```
/// client 192.0.2.50 ── fw-a | fw-b 198.51.100.1 ── inside lb servers ── b1 203.0.113.21, b2 203.0.113.22
/// ```
/// Lines have the stations: `inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN`.
final class BalancerBench: BoxBench<LoadBalancer> {
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

    private static let text = PacketText(stations: stations)

    /// - Parameter knowsNeighbors: whether firewall A and both backends have asked for the balancer before, and answer
    init(
        _ services: VirtualServiceConfiguration..., flowCapacity: Int = 1024, seed: UInt64 = 0,
        knowsNeighbors: Bool = true
    ) {
        super.init(
            // The configurations of the tests are right but where the error itself is tested.
            try! LoadBalancer(Self.configuration(services), flowCapacity: flowCapacity, seed: seed),
            ports: ["inside", "servers"], reporter: .loadBalancer, text: Self.text, showsLink: true)
        let hubs = ["inside", "servers"].map { network.addSwitch($0) }
        for (port, hub) in hubs.enumerated() { network.connect(hub, to: box, port: port) }
        let hosts = Self.neighbors.map { name, address, own, port in
            let host = network.addHost(name, mac: Self.stations[name]!, addresses: [.ipv4(address)])
            host.answers = knowsNeighbors
            network.connect(hubs[port], to: host)
            return (host, IPAddress.ipv4(own))
        }
        start(asking: knowsNeighbors ? hosts : [])
    }

    private static let neighbors: [(String, IPv4Address, IPv4Address, Int)] = [
        ("fw-a", gateway, insideAddress, 0), ("b1", b1, serversAddress, 1), ("b2", b2, serversAddress, 1),
    ]

    /// What leaves because of a packet.
    func send(
        _ line: String, payload: [UInt8] = [0x70, 0x69, 0x6e, 0x67], timeToLive: UInt8 = 64, side: PortSide = .wire
    ) -> [String] {
        process(
            [(frame(line, payload: payload, timeToLive: timeToLive), line.hasPrefix("servers") ? 1 : 0)], side: side)
    }

    /// The frame of a line, from the station that it names to the other.
    func frame(_ line: String, payload: [UInt8] = [0x70, 0x69, 0x6e, 0x67], timeToLive: UInt8 = 64) -> [UInt8] {
        bytes(String(line.split(separator: " ", maxSplits: 1)[1]), payload: payload, timeToLive: timeToLive)
    }

    func arp(
        _ operation: ARPHeader.Operation, _ station: String, _ sender: IPv4Address, for target: IPv4Address,
        on port: PortIndex, to destination: String = "all"
    ) -> [String] {
        let packet =
            operation == .request
            ? "arp who-has \(target) tell \(sender)" : "arp \(sender) is-at \(station) for \(target)"
        return process([(bytes("\(station)>\(destination) \(packet)", payload: []), port)])
    }

    func process(_ frames: [([UInt8], PortIndex)], side: PortSide = .wire) -> [String] {
        raw(frames, side: side).map(line)
    }

    /// - Parameter isDamaged: what leaves may have the wrong checksum that came in
    func raw(_ frames: [([UInt8], PortIndex)], side: PortSide = .wire, isDamaged: Bool = false) -> [BoxFrame] {
        raw(frames.map { BoxFrame($0.0, port: $0.1, side: side) }, isDamaged: isDamaged)
    }

    /// As `line`, without a bench.
    static func line(_ frame: BoxFrame) -> String {
        let port = (frame.side == .host ? "host:" : "") + (frame.port == 0 ? "inside" : "servers")
        return "\(port) " + text.text(of: frame.bytes, detail: .brief)
    }
}
