import Appliances
import Configuration
import Dataplane
import LabEvents
import LabTime
import PacketText
import VirtualNetwork
import Wire

/// A gateway firewall between a balancer (port 0, `inside`) and a member (port 1, `servers`), in virtual time.
final class GatewayBench {
    static let balancer = IPv4Address(10, 0, 0, 1)
    static let member = IPv4Address(10, 0, 0, 3)
    static let balancerMAC = MACAddress(2, 0, 0, 0, 0, 1)
    static let memberMAC = MACAddress(2, 0, 0, 0, 0, 3)
    static let routedMACs = [MACAddress(2, 0, 0, 0, 0xf, 0), MACAddress(2, 0, 0, 0, 0xf, 1)]

    enum Outcome: Equatable, CustomStringConvertible {
        /// Left by the other port exactly as it came.
        case passed
        case dropped
        /// Only an answer left, by the port that the packet came in by.
        case answered([UInt8])
        case other([[UInt8]])

        var description: String {
            switch self {
            case .passed: "passed"
            case .dropped: "dropped"
            case .answered: "answered"
            case .other(let frames): "\(frames.count) frames"
            }
        }
    }

    private let network = VirtualNetwork()
    let box: VirtualBox<GatewayFirewall>

    init(
        _ profile: StateProfile, _ filtering: [PortFiltering] = [.off, .inboundOnly],
        midStreamPickup: MidStreamPickup = .loose,
        outOfState: OutOfStatePolicy? = nil, timers: StateTimers? = nil, capacity: Int = 1024
    ) throws {
        box = try Self.start(
            GatewayFirewallConfiguration(
                name: "gw", ports: Self.ports(addressed: false), mode: .transparent, profile: profile,
                filtering: filtering, midStreamPickup: midStreamPickup, outOfStatePolicy: outOfState, timers: timers),
            stateCapacity: capacity, in: network)
    }

    /// A routed one: 10.0.0.254 towards the balancer, 10.0.1.254 towards a server in 10.0.1.0/24.
    init(routed profile: StateProfile, _ filtering: [PortFiltering], mtus: [Int] = [1500, 1500]) throws {
        var ports = Self.ports(addressed: true)
        for (index, mtu) in mtus.enumerated() { ports[index].mtu = mtu }
        box = try Self.start(
            GatewayFirewallConfiguration(
                name: "gw", ports: ports, mode: .routed, profile: profile, filtering: filtering), in: network)
    }

    private static func start(
        _ configuration: GatewayFirewallConfiguration, stateCapacity: Int = 1024, in network: VirtualNetwork
    ) throws -> VirtualBox<GatewayFirewall> {
        let box = network.add(
            "gw", ports: ["inside", "servers"], try GatewayFirewall(configuration, stateCapacity: stateCapacity))
        box.onEvents = { asDeclared($0, of: .gatewayFirewall) }
        box.start()
        return box
    }

    /// A UDP datagram from the balancer to the member, or to a server behind a routed one.
    func datagram(identification: UInt16, payload: Int, isRouted: Bool) -> [UInt8] {
        PacketText().bytes(
            "udp 10.0.0.1:4000 > \(isRouted ? "10.0.1.3" : "10.0.0.3"):53 ipid \(identification) may-fragment",
            payload: (UDPHeader.length..<UDPHeader.length + payload).map { UInt8(truncatingIfNeeded: $0 &* 7) },
            from: Self.balancerMAC, to: isRouted ? Self.routedMACs[0] : Self.memberMAC)
    }

    /// The same in four fragments.
    func fragments(identification: UInt16, isRouted: Bool) -> [[UInt8]] {
        NATBench.fragments(
            datagram(identification: identification, payload: 1000, isRouted: isRouted), size: 256,
            identification: identification)
    }

    /// The server behind a routed one answers the question for its MAC address.
    func answerARP() {
        _ = raw(
            PacketText().bytes(
                "arp 10.0.1.3 is-at \(Self.memberMAC) for 10.0.1.254", from: Self.memberMAC, to: Self.routedMACs[1]),
            into: 1)
    }

    /// A first datagram, so that the server's MAC address is known.
    func routeOne() {
        _ = raw(datagram(identification: 1, payload: 10, isRouted: true), into: 0)
        answerARP()
    }

    static func ports(addressed: Bool) -> [PortConfiguration] {
        ["inside", "servers"].enumerated().map { index, name in
            PortConfiguration(
                name: name, mac: routedMACs[index],
                address: addressed
                    ? IPv4InterfaceAddress(IPv4Address(10, 0, UInt8(index), 254), prefixLength: 24) : nil)
        }
    }

    // MARK: Packets

    static func tcp(
        _ flow: FiveTuple, _ flags: TCPFlags, sequence: UInt32 = 1000, acknowledgement: UInt32 = 0, payload: Int = 0,
        window: UInt16 = 64_240, scale: UInt8? = nil, from source: MACAddress, to destination: MACAddress
    ) -> [UInt8] {
        var packet = "\(flow.text) \(flags) seq \(sequence) ack \(acknowledgement) win \(window) len \(payload)"
        if flags.contains(.syn) { packet += " mss 1460" }
        if let scale { packet += " wscale \(scale)" }
        return PacketText().bytes(packet, from: source, to: destination)
    }

    static func flow(_ port: UInt16 = 4000, _ proto: IPProtocol = .tcp) -> FiveTuple {
        FiveTuple(source: balancer, destination: member, sourcePort: port, destinationPort: 443, protocol: proto)
    }

    /// From the balancer to the member.
    @discardableResult
    func out(
        _ flags: TCPFlags, _ sequence: UInt32 = 1000, ack: UInt32 = 0, payload: Int = 0, port: UInt16 = 4000,
        window: UInt16 = 64_240, scale: UInt8? = nil
    ) -> Outcome {
        send(
            Self.tcp(
                Self.flow(port), flags, sequence: sequence, acknowledgement: ack, payload: payload, window: window,
                scale: scale, from: Self.balancerMAC, to: Self.memberMAC), into: 0)
    }

    /// From the member to the balancer.
    @discardableResult
    func back(
        _ flags: TCPFlags, _ sequence: UInt32 = 5000, ack: UInt32 = 1001, payload: Int = 0, port: UInt16 = 4000,
        window: UInt16 = 65_160, scale: UInt8? = nil
    ) -> Outcome {
        send(
            Self.tcp(
                Self.flow(port).reversed, flags, sequence: sequence, acknowledgement: ack, payload: payload,
                window: window, scale: scale, from: Self.memberMAC, to: Self.balancerMAC), into: 1)
    }

    func send(_ bytes: [UInt8], into port: PortIndex) -> Outcome {
        let frames = raw(bytes, into: port)
        if frames.isEmpty { return .dropped }
        if frames.count == 1, frames[0].port == port ^ 1, frames[0].bytes == bytes { return .passed }
        if frames.count == 1, frames[0].port == port { return .answered(frames[0].bytes) }
        return .other(frames.map(\.bytes))
    }

    func raw(_ bytes: [UInt8], into port: PortIndex, side: PortSide = .wire) -> [BoxFrame] {
        box.process(bytes, on: port, side: side)
    }

    // MARK: Time and what is seen

    func wait(_ duration: Duration) { network.run(for: duration) }

    var stateCount: Int { box.appliance.stateCount }
    var events: [ApplianceEvent] { box.events }

    var connections: [ConnectionReading] {
        guard case .connections(let list) = box.perform(.connections) else { return [] }
        return list.connections
    }

    /// The only connection's state and timer; empty where there is none.
    var state: String { connections.map { "\($0.state) \($0.timer ?? "without timer")" }.joined(separator: ", ") }

    func kinds() -> [EventKind] { events.map(\.kind) }

    func counter(_ name: String) -> UInt64 { box.counter(name) }
}
