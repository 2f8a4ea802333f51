import Appliances
import Configuration
import Dataplane
import Impairment
import LabEvents
import LabTime
import Redundancy
import VirtualNetwork
import Wire

/// A firewall pair between a client and a server, in a virtual network.
///
/// ```
/// client .10 ── outside 192.0.2.0/24 ── fw-a .2 | fw-b .3 (virtual .1) ── inside 198.51.100.0/24 ── server .20
///                                          └─ cross-connect 10.0.0.0/30 ─┘
/// ```
/// Each network is a hub: everybody receives every frame, so that what a box must not take is put to it, too; or, where
/// a test says so, a switch that learns. What arrives at a station of a hub passed the faults of the station's cable.
final class FirewallLab {
    static let outside = 0
    static let inside = 1
    static let crossConnect = 2
    static let portNames = ["outside", "inside", "sync"]
    static let virtualAddresses = [IPv4Address(192, 0, 2, 1), IPv4Address(198, 51, 100, 1)]
    static let origin = Instant(nanoseconds: 1_000_000_000)

    let network: VirtualNetwork
    let boxes: [VirtualBox<Firewall>]
    let client: VirtualHost
    let server: VirtualHost
    private let hubs: [VirtualSwitch]
    private let settings: Settings

    /// What the boxes are made of.
    private struct Settings {
        var usesVirtualMAC: Bool
        var preempts: Bool
        var sessionCapacity: Int
        /// Of each box, by its number.
        var nat: (Int) -> NATConfiguration?
        var suspended: PairRules
        /// Changes what a box is set to: of its redundancy, by its number.
        var configure: (Int, inout FirewallConfiguration) -> Void
    }

    /// The faults of networks that are lossy, in thousandths and microseconds.
    private struct Faults: Equatable {
        var loss = 0
        var duplication = 0
        var delay = 20...20
        /// The cross-connect, where nothing else is said.
        var isLossy = [false, false, true]
    }

    private var faults = Faults() {
        didSet { if faults != oldValue { installFaults() } }
    }
    var isUp = [true, true, true] {
        didSet { for (hub, isUp) in zip(hubs, isUp) { hub.isUp = isUp } }
    }
    /// Networks on which the boxes do not reach each other, while each still reaches the hosts.
    var isApart = [false, false, false] {
        didSet { for (hub, isApart) in zip(hubs, isApart) { hub.setSeparated(boxes[0], boxes[1], isApart) } }
    }
    /// Whether what was sent to an earlier incarnation of a box arrives in a later one.
    var outlivesRestarts = false
    /// What the boxes and hosts sent, as captures would have it.
    private(set) var log = PairLog()

    init(
        seed: UInt64 = 1, usesVirtualMAC: Bool = false, preempts: Bool = true, sessionCapacity: Int = 1024,
        nat: @escaping (Int) -> NATConfiguration? = { _ in nil }, suspending suspended: PairRules = [],
        configure: @escaping (Int, inout FirewallConfiguration) -> Void = { _, _ in }
    ) throws {
        let settings = Settings(
            usesVirtualMAC: usesVirtualMAC, preempts: preempts, sessionCapacity: sessionCapacity, nat: nat,
            suspended: suspended, configure: configure)
        let network = VirtualNetwork(seed: seed, at: Self.origin)
        let hubs = Self.portNames.map { network.addSwitch($0) }
        let boxes = try (0..<2).map { number in
            network.add(
                number == 0 ? "fw-a" : "fw-b", ports: Self.portNames, try Self.makeFirewall(number, settings))
        }
        client = network.addHost(
            "client", mac: MACAddress(2, 0, 0, 0, 1, 10), addresses: [.ipv4(IPv4Address(192, 0, 2, 10))])
        server = network.addHost(
            "server", mac: MACAddress(2, 0, 0, 0, 2, 20), addresses: [.ipv4(IPv4Address(198, 51, 100, 20))])
        for (port, hub) in hubs.enumerated() {
            for box in boxes { network.connect(hub, to: box, port: port) }
        }
        network.connect(hubs[Self.outside], to: client)
        network.connect(hubs[Self.inside], to: server)
        (self.network, self.hubs, self.boxes, self.settings) = (network, hubs, boxes, settings)
        for box in boxes {
            box.onEvents = { asDeclared($0, of: .firewall) }
            box.onFrame = { [unowned self, unowned box] frame in
                log.check(frame, of: box)
            }
        }
        network.onFrame = { [unowned self] in log.add($0) }
        installFaults()
    }

    /// The MAC address of a box's port.
    static func mac(_ box: Int, _ port: Int) -> MACAddress {
        MACAddress(2, 0, 0, 0xf0, UInt8(box), UInt8(port))
    }

    private static func makeFirewall(_ number: Int, _ settings: Settings) throws -> Firewall {
        try Firewall(
            configuration(of: number, settings), sessionCapacity: settings.sessionCapacity,
            suspending: settings.suspended)
    }

    func configuration(of number: Int) -> FirewallConfiguration { Self.configuration(of: number, settings) }

    private static func configuration(of number: Int, _ settings: Settings) -> FirewallConfiguration {
        let last = UInt8(number + 2)
        func port(_ index: Int, _ address: IPv4Address, _ length: Int) -> PortConfiguration {
            PortConfiguration(
                name: portNames[index], mac: mac(number, index),
                address: IPv4InterfaceAddress(address, prefixLength: length))
        }
        var configuration = FirewallConfiguration(
            name: number == 0 ? "fw-a" : "fw-b",
            ports: [
                port(0, IPv4Address(192, 0, 2, last), 24), port(1, IPv4Address(198, 51, 100, last), 24),
                port(2, IPv4Address(10, 0, 0, UInt8(number + 1)), 30),
            ],
            routes: [],
            redundancy: RedundancyConfiguration(
                peer: number == 0 ? "fw-b" : "fw-a", priority: number == 0 ? 200 : 100, preempts: settings.preempts,
                usesVirtualMAC: settings.usesVirtualMAC, advertisementInterval: .milliseconds(100),
                heartbeatInterval: .milliseconds(20), heartbeatMisses: 3,
                crossConnect: CrossConnectConfiguration(
                    port: "sync", peerAddress: IPv4Address(10, 0, 0, UInt8(2 - number))),
                virtualRouters: [
                    VirtualRouterConfiguration(port: "outside", id: 10, addresses: [virtualAddresses[0]]),
                    VirtualRouterConfiguration(port: "inside", id: 20, addresses: [virtualAddresses[1]]),
                ]), nat: settings.nat(number))
        settings.configure(number, &configuration)
        return configuration
    }

    // MARK: Networks

    var loss: Int {
        get { faults.loss }
        set { faults.loss = newValue }
    }
    var duplication: Int {
        get { faults.duplication }
        set { faults.duplication = newValue }
    }
    var delay: ClosedRange<Int> {
        get { faults.delay }
        set { faults.delay = newValue }
    }
    var isLossy: [Bool] {
        get { faults.isLossy }
        set { faults.isLossy = newValue }
    }
    /// Whether unicast frames go to the station that the address was last seen at, and to nobody else.
    var isSwitched: Bool {
        get { hubs[0].learns }
        set { for hub in hubs { hub.learns = newValue } }
    }

    /// Towards each station: loss, then copies, then a delay of its own for each.
    private func installFaults() {
        let towardsStation = FrameSelection(direction: .fromNear)
        for (number, hub) in hubs.enumerated() {
            let isLossy = faults.isLossy[number]
            let range = isLossy ? faults.delay : 20...20
            let (shortest, longest) = (Duration.microseconds(range.lowerBound), Duration.microseconds(range.upperBound))
            var copied = towardsStation
            copied.occurrence = .everyNth(1000 / max(1, faults.duplication))
            let duplication = Duplication(copies: 1, gap: max(.microseconds(1), (longest - shortest) / 3))
            for cable in hub.cables {
                cable.install(
                    network.rule(
                        "loss", .lose(Loss(rate: Double(faults.loss) / 1000)), towardsStation,
                        isArmed: isLossy && faults.loss > 0))
                cable.install(
                    network.rule(
                        "copies", .duplicate(duplication), copied, isArmed: isLossy && faults.duplication > 0))
                let delay: DelayDistribution =
                    shortest == longest ? .fixed(shortest) : .uniform(from: shortest, to: longest)
                cable.install(network.rule("delay", .delay(Delay(delay)), towardsStation))
            }
        }
    }

    /// What is on its way to a box is lost.
    func loseFrames(to number: Int, on network: Int) { hubs[network].cable(of: boxes[number])?.loseFrames() }

    /// - Parameter sender: boxes 0 and 1, client 2, server 3
    func transmit(_ bytes: [UInt8], on network: Int, from sender: Int) {
        switch sender {
        case 2: client.send(bytes)
        case 3: server.send(bytes)
        default: self.network.send(bytes, from: boxes[sender], port: network)
        }
    }

    /// A host sends to its gateway's MAC address as it knows it.
    func send(_ flow: FiveTuple, _ flags: TCPFlags, payload: Int = 0, from host: VirtualHost) {
        guard let gateway = host.gatewayMAC else { return }
        host.send(TestFrame.tcp(from: host.mac, to: gateway, flow, flags, payload: payload))
    }

    // MARK: Boxes

    func start(_ number: Int) throws {
        if !outlivesRestarts {
            for network in hubs.indices { loseFrames(to: number, on: network) }
        }
        boxes[number].start(try Self.makeFirewall(number, settings))
    }

    func startBoth() throws {
        try start(0)
        try start(1)
    }

    func setCarrier(_ number: Int, _ port: Int, isUp: Bool) { boxes[number].setCarrier(port, isUp: isUp) }

    func powerOff(_ number: Int) { boxes[number].powerOff() }

    func perform(_ number: Int, _ command: ApplianceCommand) -> ApplianceReply { boxes[number].perform(command) }

    func deliver(_ bytes: [UInt8], to number: Int, port: Int, side: PortSide = .wire) {
        boxes[number].process(bytes, on: PortIndex(port), side: side)
    }

    // MARK: Time

    var now: Instant { network.now }
    var steps: Int { network.steps }

    func run(for duration: Duration) { network.run(for: duration) }

    @discardableResult
    func step(until end: Instant) -> Bool { network.step(until: end) }

    // MARK: What is seen

    var captured: [PairLog.Entry] {
        get { log.captured }
        set { log.captured = newValue }
    }
    /// Whether `captured` is kept.
    var isCapturing: Bool {
        get { log.isCapturing }
        set { log.isCapturing = newValue }
    }

    func takeLastOfCrossConnect() -> PairLog.Entry? { log.takeLastOfCrossConnect() }

    func counter(_ box: Int, _ name: String) -> UInt64 { boxes[box].counter(name) }

    func knows(_ box: Int, _ flow: FiveTuple) -> Bool { boxes[box].firewall.knows(flow) }

    func events(_ box: Int, _ kind: EventKind) -> [ApplianceEvent] { boxes[box].events(kind) }

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
}
