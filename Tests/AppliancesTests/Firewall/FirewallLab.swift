import Appliances
import Configuration
import Dataplane
import LabEvents
import LabTime
import Redundancy
import TestSupport
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
    final class Box {
        let number: Int
        var firewall: Firewall
        var queue = FrameQueue()
        var isAlive = false
        var incarnation = 0
        var events: [ApplianceEvent] = []
        /// What its own kernel got.
        var host: [SeenFrame] = []
        var carrier = [true, true, true]

        init(_ number: Int, _ firewall: consuming Firewall) {
            self.number = number
            self.firewall = firewall
        }
    }

    final class Host {
        let mac: MACAddress
        let address: IPv4Address
        let gateway: IPv4Address
        let network: Int
        var gatewayMAC: MACAddress?
        /// Further addresses that it answers for.
        var aliases: Set<IPv4Address> = []
        var received: [(at: Instant, frame: SeenFrame)] = []

        init(mac: MACAddress, address: IPv4Address, gateway: IPv4Address, network: Int) {
            self.mac = mac
            self.address = address
            self.gateway = gateway
            self.network = network
        }
    }

    struct Delivery {
        var at: Instant
        var order: Int
        /// Boxes 0 and 1, client 2, server 3.
        var to: Int
        var incarnation: Int
        var network: Int
        var bytes: [UInt8]
    }

    static let outside = 0
    static let inside = 1
    static let crossConnect = 2
    static let portNames = ["outside", "inside", "sync"]
    static let virtualAddresses = [IPv4Address(192, 0, 2, 1), IPv4Address(198, 51, 100, 1)]
    static let origin = Instant(nanoseconds: 1_000_000_000)

    var now = FirewallLab.origin
    var boxes: [Box] = []
    let client = Host(
        mac: MACAddress(2, 0, 0, 0, 1, 10), address: IPv4Address(192, 0, 2, 10), gateway: virtualAddresses[0],
        network: 0)
    let server = Host(
        mac: MACAddress(2, 0, 0, 0, 2, 20), address: IPv4Address(198, 51, 100, 20), gateway: virtualAddresses[1],
        network: 1)
    var random: SeededGenerator
    var deliveries: [Delivery] = []
    var sent = 0
    /// What was on each network, as a capture there would have it.
    var captured: [(at: Instant, network: Int, sender: Int, frame: SeenFrame)] = []
    /// In thousandths, on networks that are lossy.
    var loss = 0
    var duplication = 0
    var delay: ClosedRange<Int> = 20...20  // microseconds
    /// Networks with loss, duplication and delay: the cross-connect, where nothing else is said.
    var isLossy = [false, false, true]
    var isUp = [true, true, true]
    /// Networks on which the boxes do not hear each other, while each still hears the hosts.
    var isApart = [false, false, false]
    /// Whether what was sent to an earlier life of a box arrives in a later one.
    var outlivesRestarts = false
    var steps = 0
    /// Transit frames that a box sent although it was Backup.
    var trespasses = 0
    /// Whether unicast frames go to the station that the address was last seen at, and to nobody else.
    var isSwitched = false
    private var learned: [UInt64: Int] = [:]
    /// Whether `captured` is kept.
    var isCapturing = true
    let usesVirtualMAC: Bool
    let preempts: Bool
    let sessionCapacity: Int
    /// Of each box, by its number.
    let nat: (Int) -> NATConfiguration?
    let suspended: PairRules
    /// Changes what a box is set to: of its redundancy, by its number.
    let configure: (Int, inout FirewallConfiguration) -> Void

    init(
        seed: UInt64 = 1, usesVirtualMAC: Bool = false, preempts: Bool = true, sessionCapacity: Int = 1024,
        nat: @escaping (Int) -> NATConfiguration? = { _ in nil }, suspending suspended: PairRules = [],
        configure: @escaping (Int, inout FirewallConfiguration) -> Void = { _, _ in }
    ) throws {
        self.nat = nat
        self.suspended = suspended
        self.configure = configure
        random = SeededGenerator(seed: seed)
        self.usesVirtualMAC = usesVirtualMAC
        self.preempts = preempts
        self.sessionCapacity = sessionCapacity
        for number in 0..<2 {
            boxes.append(Box(number, try makeFirewall(number)))
        }
    }

    /// The MAC address of a box's port.
    static func mac(_ box: Int, _ port: Int) -> MACAddress {
        MACAddress(2, 0, 0, 0xf0, UInt8(box), UInt8(port))
    }

    func makeFirewall(_ number: Int) throws -> Firewall {
        try Firewall(configuration(of: number), sessionCapacity: sessionCapacity, suspending: suspended)
    }

    func configuration(of number: Int) -> FirewallConfiguration {
        let last = UInt8(number + 2)
        func port(_ index: Int, _ address: IPv4Address, _ length: Int) -> PortConfiguration {
            PortConfiguration(
                name: Self.portNames[index], mac: Self.mac(number, index),
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
                peer: number == 0 ? "fw-b" : "fw-a", priority: number == 0 ? 200 : 100, preempts: preempts,
                usesVirtualMAC: usesVirtualMAC, advertisementInterval: .milliseconds(100),
                heartbeatInterval: .milliseconds(20), heartbeatMisses: 3,
                crossConnect: CrossConnectConfiguration(
                    port: "sync", peerAddress: IPv4Address(10, 0, 0, UInt8(2 - number))),
                virtualRouters: [
                    VirtualRouterConfiguration(port: "outside", id: 10, addresses: [Self.virtualAddresses[0]]),
                    VirtualRouterConfiguration(port: "inside", id: 20, addresses: [Self.virtualAddresses[1]]),
                ]), nat: nat(number))
        configure(number, &configuration)
        return configuration
    }

    // MARK: Boxes

    func start(_ number: Int) throws {
        let box = boxes[number]
        box.firewall = try makeFirewall(number)
        box.isAlive = true
        box.incarnation += 1
        box.firewall.start(at: now, into: &box.queue)
        for (port, isUp) in box.carrier.enumerated() where !isUp {
            _ = box.firewall.perform(.carrier(port: Self.portNames[port], isUp: false), at: now, into: &box.queue)
        }
        collect(box)
    }

    /// A link's carrier at one end, whether the box lives or not.
    func setCarrier(_ number: Int, _ port: Int, isUp: Bool) {
        guard boxes[number].carrier[port] != isUp else { return }
        boxes[number].carrier[port] = isUp
        if boxes[number].isAlive { _ = perform(number, .carrier(port: Self.portNames[port], isUp: isUp)) }
    }

    func startBoth() throws {
        try start(0)
        try start(1)
    }

    func powerOff(_ number: Int) { boxes[number].isAlive = false }

    func perform(_ number: Int, _ command: ApplianceCommand) -> ApplianceReply {
        let box = boxes[number]
        if case .carrier(let port, let isUp) = command, let index = Self.portNames.firstIndex(of: port) {
            box.carrier[index] = isUp
        }
        defer { collect(box) }
        return box.firewall.perform(command, at: now, into: &box.queue)
    }

    func deliver(_ bytes: [UInt8], to number: Int, port: Int, side: PortSide = .wire) {
        let box = boxes[number]
        var copy = bytes
        copy.withUnsafeMutableBytes { buffer in
            let frame = Frame(
                base: buffer.baseAddress!, length: Int32(buffer.count), port: PortIndex(port), side: side)
            withUnsafePointer(to: frame) {
                box.firewall.process(UnsafeBufferPointer(start: $0, count: 1), at: now, into: &box.queue)
            }
            collect(box)
        }
    }

    private func collect(_ box: Box) {
        for index in 0..<box.queue.count {
            let frame = box.queue[index]
            let bytes = Array(frame.bytes)
            if frame.side == .host {
                box.host.append(SeenFrame(bytes: bytes))
            } else if box.carrier[Int(frame.port)] {
                let seen = SeenFrame(bytes: bytes)
                let isTransit = seen.flow.map { $0.protocol == .tcp } ?? false
                if isTransit, box.firewall.role != .active { trespasses += 1 }
                transmit(bytes, on: Int(frame.port), from: box.number)
            }
        }
        box.queue.removeAll()
        box.events += asDeclared(box.firewall.takeEvents(), of: .firewall)
    }

    // MARK: Networks and hosts

    func transmit(_ bytes: [UInt8], on network: Int, from sender: Int) {
        if isCapturing { captured.append((now, network, sender, SeenFrame(bytes: bytes))) }
        guard isUp[network] else { return }
        for station in receivers(of: bytes, on: network, from: sender) {
            let isLossy = isLossy[network]
            if isApart[network], station < 2, sender < 2 { continue }
            if isLossy, Int.random(in: 0..<1000, using: &random) < loss { continue }
            let copies = isLossy && Int.random(in: 0..<1000, using: &random) < duplication ? 2 : 1
            for _ in 0..<copies {
                sent += 1
                let wait = isLossy ? Int.random(in: delay, using: &random) : 20
                deliveries.append(
                    Delivery(
                        at: now + .microseconds(wait), order: sent, to: station,
                        incarnation: station < 2 ? boxes[station].incarnation : 0, network: network, bytes: bytes))
            }
        }
    }

    private func receivers(of bytes: [UInt8], on network: Int, from sender: Int) -> [Int] {
        let others = stations(on: network).filter { $0 != sender }
        guard isSwitched else { return others }
        let frame = SeenFrame(bytes: bytes)
        func place(_ mac: MACAddress) -> UInt64 { UInt64(network) << 48 | mac.packed }
        learned[place(frame.source)] = sender
        guard !frame.destination.isMulticast, let station = learned[place(frame.destination)] else { return others }
        return station == sender ? [] : [station]
    }

    private func stations(on network: Int) -> [Int] {
        switch network {
        case Self.outside: [0, 1, 2]
        case Self.inside: [0, 1, 3]
        default: [0, 1]
        }
    }

    private func receive(_ delivery: Delivery) {
        if delivery.to < 2 {
            let box = boxes[delivery.to]
            guard box.isAlive, box.incarnation == delivery.incarnation || outlivesRestarts,
                box.carrier[delivery.network]
            else {
                return
            }
            deliver(delivery.bytes, to: delivery.to, port: delivery.network)
            return
        }
        let host = delivery.to == 2 ? client : server
        let frame = SeenFrame(bytes: delivery.bytes)
        if let arp = frame.arp {
            if arp.senderAddress == host.gateway { host.gatewayMAC = arp.senderMAC }
            if arp.operation == .request, arp.targetAddress == host.address || host.aliases.contains(arp.targetAddress)
            {
                let reply = ARPHeader(
                    operation: .reply, senderMAC: host.mac, senderAddress: arp.targetAddress, targetMAC: arp.senderMAC,
                    targetAddress: arp.senderAddress)
                transmit(TestFrame.arp(reply, to: arp.senderMAC), on: host.network, from: delivery.to)
            }
        } else if frame.destination == host.mac {
            host.received.append((now, frame))
        }
    }

    /// A host sends to its gateway's MAC address as it knows it.
    func send(_ flow: FiveTuple, _ flags: TCPFlags, payload: Int = 0, from host: Host) {
        guard let gateway = host.gatewayMAC else { return }
        transmit(
            TestFrame.tcp(from: host.mac, to: gateway, flow, flags, payload: payload), on: host.network,
            from: host === client ? 2 : 3)
    }

    // MARK: Time

    func run(for duration: Duration) {
        let end = now + duration
        while step(until: end) {}
    }

    @discardableResult
    func step(until end: Instant) -> Bool {
        var next: Int?
        for index in deliveries.indices {
            if let best = next,
                (deliveries[best].at.nanoseconds, deliveries[best].order)
                    <= (deliveries[index].at.nanoseconds, deliveries[index].order)
            {
                continue
            }
            next = index
        }
        var due = next.map { deliveries[$0].at }
        var timer: Box?
        for box in boxes where box.isAlive {
            if let deadline = box.firewall.deadline, due.map({ deadline < $0 }) ?? true {
                due = deadline
                timer = box
            }
        }
        guard let due, due <= end else {
            now = end
            return false
        }
        now = max(now, due)
        steps += 1
        if let timer {
            timer.firewall.advance(to: now, into: &timer.queue)
            collect(timer)
        } else if let next {
            receive(deliveries.remove(at: next))
        }
        return true
    }

    // MARK: What is seen

    func counter(_ box: Int, _ name: String) -> UInt64 {
        boxes[box].firewall.counters.first { $0.name == name }?.value ?? .max
    }

    func knows(_ box: Int, _ flow: FiveTuple) -> Bool { boxes[box].firewall.knows(flow) }

    func events(_ box: Int, _ kind: EventKind) -> [ApplianceEvent] { boxes[box].events.filter { $0.kind == kind } }

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
