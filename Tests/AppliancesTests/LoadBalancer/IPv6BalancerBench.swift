import Appliances
import Configuration
import Dataplane
import LabEvents
import PacketText
import Testing
import VirtualNetwork
import Wire

/// A dual-stack balancer between a router and two backends, in virtual time. Lines have the stations alone:
/// `rt>lb0 tcp [source]:port > [destination]:port SYN`.
final class IPv6BalancerBench: BoxBench<LoadBalancer> {
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

    private static let text = PacketText(stations: macs)

    convenience init(
        _ profile: ServiceProfile, _ translation: SourceTranslation, scheduler: Scheduler = .roundRobin, mtu: Int = 1500
    ) throws {
        try self.init(Self.configuration(profile, translation, scheduler, mtu))
    }

    init(_ configuration: LoadBalancerConfiguration) throws {
        super.init(
            try LoadBalancer(configuration, flowCapacity: 1024), ports: ["inside", "servers"],
            reporter: .loadBalancer, text: Self.text, showsPort: false, showsLink: true)
        let hubs = ["inside", "servers"].map { network.addSwitch($0) }
        for (port, hub) in hubs.enumerated() { network.connect(hub, to: box, port: port) }
        let stations: [(String, IPv6Address, IPv6Address, Int)] = [
            ("b1", Self.b1, Self.serversAddress, 1), ("b2", Self.b2, Self.serversAddress, 1),
            ("rt", Self.router, Self.insideAddress, 0),
        ]
        start(
            asking: stations.map { name, address, own, port in
                let host = network.addHost(name, mac: Self.macs[name]!, addresses: [.ipv6(address)])
                network.connect(hubs[port], to: host)
                return (host, .ipv6(own))
            })
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

    /// The frame of a line.
    static func frame(_ line: String, size: Int = 4, hopLimit: UInt8 = 64) -> [UInt8] {
        var text = text
        text.defaults.payload = [UInt8](repeating: 0x70, count: size)
        text.defaults.timeToLive = hopLimit
        do {
            return try text.frame(line)
        } catch {
            preconditionFailure("'\(line)', \(error)")
        }
    }

    func send(_ line: String, size: Int = 4, hopLimit: UInt8 = 64) -> [String] {
        process(Self.frame(line, size: size, hopLimit: hopLimit), on: line.hasPrefix("b") ? 1 : 0)
    }

    func process(_ bytes: [UInt8], on port: PortIndex) -> [String] { raw(bytes, on: port).map(line) }

    /// - Parameter isDamaged: a wrong checksum that came in leaves as wrong
    func raw(_ bytes: [UInt8], on port: PortIndex, side: PortSide = .wire, isDamaged: Bool = false) -> [BoxFrame] {
        raw([BoxFrame(bytes, port: port, side: side)], isDamaged: isDamaged)
    }

    /// As `line`, without a bench.
    static func line(_ bytes: [UInt8]) -> String { text.text(of: bytes, detail: .brief) }
}
