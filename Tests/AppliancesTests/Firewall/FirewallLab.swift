import Appliances
import Configuration
import Dataplane
import Impairment
import LabEvents
import LabTime
import PacketText
import Redundancy
import VirtualNetwork
import Wire

/// A firewall pair between a client and a server, in virtual time, frame by frame.
///
/// ```
/// client .10 ── outside 192.0.2.0/24 ── fw-a .2 | fw-b .3 (virtual .1) ── inside 198.51.100.0/24 ── server .20
///                                          └─ cross-connect 10.0.0.0/30 ─┘
/// ```
/// Each network is a hub: everybody sees every frame, so that what a box must not take is put to it, too; or, where a
/// test says so, a switch that learns.
final class FirewallLab {
    /// What a test chooses of the pair.
    struct Settings {
        var usesVirtualMAC = false
        var preempts = true
        var sessionCapacity = 1024
        /// Of each box, by its number.
        var nat: (Int) -> NATConfiguration? = { _ in nil }
        var suspended: PairRules = []
        /// Changes the configuration of a box, by its number.
        var configure: (Int, inout FirewallConfiguration) -> Void = { _, _ in }
    }

    static let outside = 0
    static let inside = 1
    static let crossConnect = 2
    static let portNames = ["outside", "inside", "sync"]
    static let boxNames = ["fw-a", "fw-b"]
    static let virtualAddresses = [IPv4Address(192, 0, 2, 1), IPv4Address(198, 51, 100, 1)]
    static let origin = Instant(nanoseconds: 1_000_000_000)

    let settings: Settings
    let network: VirtualNetwork
    let boxes: [VirtualBox<Firewall>]
    let client: VirtualHost
    let server: VirtualHost
    /// One a network, by its number.
    let hubs: [VirtualSwitch]
    /// What the networks are like.
    var links = PairLinks() {
        didSet { linksChanged(from: oldValue) }
    }
    /// What was on each network, as a capture there would have it; senders are the boxes 0 and 1, the client 2 and the
    /// server 3.
    var captured: [(at: Instant, network: Int, sender: Int, frame: SeenFrame)] = []
    /// Whether `captured` is kept.
    var isCapturing = true
    private var lastMessage: (to: Int, bytes: [UInt8])?
    /// Transit frames that a box sent although it was Backup.
    private(set) var trespasses = 0

    init(
        seed: UInt64 = 1, usesVirtualMAC: Bool = false, preempts: Bool = true, sessionCapacity: Int = 1024,
        nat: @escaping (Int) -> NATConfiguration? = { _ in nil }, suspending suspended: PairRules = [],
        configure: @escaping (Int, inout FirewallConfiguration) -> Void = { _, _ in }
    ) throws {
        let settings = Settings(
            usesVirtualMAC: usesVirtualMAC, preempts: preempts, sessionCapacity: sessionCapacity, nat: nat,
            suspended: suspended, configure: configure)
        let network = VirtualNetwork(seed: seed, at: Self.origin)
        self.settings = settings
        self.network = network
        boxes = try Self.boxNames.indices.map { number in
            network.add(Self.boxNames[number], ports: Self.portNames, try settings.firewall(number))
        }
        client = network.addHost(
            "client", mac: MACAddress(2, 0, 0, 0, 1, 10), addresses: [.ipv4(IPv4Address(192, 0, 2, 10))])
        server = network.addHost(
            "server", mac: MACAddress(2, 0, 0, 0, 2, 20), addresses: [.ipv4(IPv4Address(198, 51, 100, 20))])
        hubs = Self.portNames.map { network.addSwitch($0) }
        for (number, host) in [client, server].enumerated() {
            host.gateway = .ipv4(Self.virtualAddresses[number])
            network.connect(hubs[number], to: host)
        }
        for box in boxes {
            for (port, hub) in hubs.enumerated() { network.connect(hub, to: box, port: port) }
            box.onEvents = { asDeclared($0, of: .firewall) }
            box.onFrame = { [unowned self, unowned box] frame in
                let isTransit = frame.side == .wire && SeenFrame(bytes: frame.bytes).flow?.protocol == .tcp
                if isTransit, box.firewall.role != .active { trespasses += 1 }
            }
        }
        network.onFrame = { [unowned self] entry in
            guard let link = Self.portNames.firstIndex(of: entry.link) else { return }
            let sender = Self.boxNames.firstIndex(of: entry.sender) ?? (entry.sender == "client" ? 2 : 3)
            if link == Self.crossConnect { lastMessage = (1 - sender, entry.bytes) }
            guard isCapturing else { return }
            captured.append((entry.at, link, sender, SeenFrame(bytes: entry.bytes)))
        }
        installRules()
    }

    /// The MAC address of a box's port.
    static func mac(_ box: Int, _ port: Int) -> MACAddress {
        MACAddress(2, 0, 0, 0xf0, UInt8(box), UInt8(port))
    }

    // MARK: Boxes

    func configuration(of number: Int) -> FirewallConfiguration { settings.configuration(of: number) }

    func start(_ number: Int) throws { boxes[number].start(try settings.firewall(number)) }

    func startBoth() throws {
        try start(0)
        try start(1)
    }

    func powerOff(_ number: Int) { boxes[number].powerOff() }

    func perform(_ number: Int, _ command: ApplianceCommand) -> ApplianceReply { boxes[number].perform(command) }

    /// A link's carrier at one end, whether the box runs or not.
    func setCarrier(_ number: Int, _ port: Int, isUp: Bool) { boxes[number].setCarrier(port, isUp: isUp) }

    /// Puts a frame to a box at once, whatever its links are like.
    func deliver(_ bytes: [UInt8], to number: Int, port: Int, side: PortSide = .wire) {
        boxes[number].process(bytes, on: PortIndex(port), side: side)
    }

    // MARK: Hosts

    /// A host sends to its gateway's MAC address as it knows it.
    func send(_ flow: FiveTuple, _ flags: TCPFlags, payload: Int = 0, from host: VirtualHost) {
        guard let gateway = host.gatewayMAC else { return }
        host.send(PacketText().bytes("\(flow.text) \(flags) len \(payload)", from: host.mac, to: gateway))
    }

    func flow(_ port: UInt16) -> FiveTuple {
        FiveTuple(
            source: client.address, destination: server.address, sourcePort: port, destinationPort: 80, protocol: .tcp)
    }

    /// Opens a TCP connection from the client to the server and runs until it is established.
    func connect(_ port: UInt16) {
        send(flow(port), .syn, from: client)
        run(for: .milliseconds(1))
        send(flow(port).reversed, [.syn, .ack], from: server)
        run(for: .milliseconds(1))
        send(flow(port), .ack, from: client)
        run(for: .milliseconds(1))
    }

    // MARK: Time

    var now: Instant { network.now }

    func run(for duration: Duration) { network.run(for: duration) }

    @discardableResult
    func step(until end: Instant) -> Bool { network.step(until: end) }

    // MARK: What is seen

    func counter(_ box: Int, _ name: String) -> UInt64 { boxes[box].counter(name) }

    func knows(_ box: Int, _ flow: FiveTuple) -> Bool { boxes[box].firewall.knows(flow) }

    /// What was sent last on the cross-connect since the last call, and to which box.
    func takeLastMessage() -> (to: Int, bytes: [UInt8])? {
        defer { lastMessage = nil }
        return lastMessage
    }

    func events(_ box: Int, _ kind: EventKind) -> [ApplianceEvent] { boxes[box].events(kind) }
}

extension FirewallLab.Settings {
    func firewall(_ number: Int) throws -> Firewall {
        try Firewall(configuration(of: number), sessionCapacity: sessionCapacity, suspending: suspended)
    }

    func configuration(of number: Int) -> FirewallConfiguration {
        let last = UInt8(number + 2)
        func port(_ index: Int, _ address: IPv4Address, _ length: Int) -> PortConfiguration {
            PortConfiguration(
                name: FirewallLab.portNames[index], mac: FirewallLab.mac(number, index),
                address: IPv4InterfaceAddress(address, prefixLength: length))
        }
        var configuration = FirewallConfiguration(
            name: FirewallLab.boxNames[number],
            ports: [
                port(0, IPv4Address(192, 0, 2, last), 24), port(1, IPv4Address(198, 51, 100, last), 24),
                port(2, IPv4Address(10, 0, 0, UInt8(number + 1)), 30),
            ],
            routes: [],
            redundancy: RedundancyConfiguration(
                peer: FirewallLab.boxNames[1 - number], priority: number == 0 ? 200 : 100, preempts: preempts,
                usesVirtualMAC: usesVirtualMAC, advertisementInterval: .milliseconds(100),
                heartbeatInterval: .milliseconds(20), heartbeatMisses: 3,
                crossConnect: CrossConnectConfiguration(
                    port: "sync", peerAddress: IPv4Address(10, 0, 0, UInt8(2 - number))),
                virtualRouters: [
                    VirtualRouterConfiguration(
                        port: "outside", id: 10, addresses: [FirewallLab.virtualAddresses[0]]),
                    VirtualRouterConfiguration(port: "inside", id: 20, addresses: [FirewallLab.virtualAddresses[1]]),
                ]), nat: nat(number))
        configure(number, &configuration)
        return configuration
    }
}

extension VirtualBox where Box == Firewall {
    var firewall: Firewall {
        _read { yield appliance }
        _modify { yield &appliance }
    }
}

extension VirtualHost {
    /// Its first IPv4 address.
    var address: IPv4Address { addresses.lazy.compactMap { IPv4Address($0) }.first ?? .any }
}
