public import Configuration
public import Dataplane
public import LabEvents
public import LabTime
import Wire

/// The member's end of a balancer's tunnels, between its links and its own kernel.
///
/// | from | frame | goes to |
/// |---|---|---|
/// | a link | a tunnel packet for the member | out of the tunnel, by the kernel's interface `tunnel` |
/// | a link | anything else | the kernel, by the interface of the same name, as it is |
/// | the kernel, an interface of a link | everything, SYN-ACKs with a smaller segment size where asked | that link |
/// | the kernel, `tunnel` | nothing: the tunnel leads one way | dropped as `no-route` |
///
/// The kernel sees what it would see with a tunnel of its own: the packet without the outer header, on an interface
/// that is not the one with the route back to the client. So `rp_filter` means here what it means there.
public struct TunnelEndpoint: ~Copyable, Appliance {
    public let configuration: TunnelEndpointConfiguration
    private let ends: [TunnelEnd]
    private let ipv6Ends: [IPv6TunnelEnd]
    private let clamp: UInt16
    private var tally = Counters()
    private var events: [ApplianceEvent] = []

    /// The number of the port that leads to the kernel's interface `tunnel`; those before it are the links.
    private var tunnelPort: PortIndex { PortIndex(configuration.ports.count) }

    public init(_ configuration: TunnelEndpointConfiguration) throws(ConfigurationError) {
        guard !configuration.ports.isEmpty, configuration.ports.count < 64 else {
            throw ConfigurationError(
                "\(configuration.name) has \(configuration.ports.count) interfaces; 1 to 63 are allowed")
        }
        guard !configuration.remotes.isEmpty else {
            throw ConfigurationError("no balancer sends through the tunnel of \(configuration.name)")
        }
        self.configuration = configuration
        ends = Self.ends(configuration)
        ipv6Ends = Self.ends(configuration)
        clamp = configuration.encapsulation.maximumSegmentSize(mtu: configuration.ports.map(\.mtu).min() ?? 1500)
    }

    /// An end at each of the member's addresses of a family.
    private static func ends<Family: TunnelFamily>(_ configuration: TunnelEndpointConfiguration) -> [IPTunnelEnd<
        Family
    >] {
        configuration.locals.compactMap { Family.Address($0) }.map {
            IPTunnelEnd(
                configuration.encapsulation, local: $0,
                remotes: configuration.remotes.compactMap { Family.Address($0) },
                destinations: configuration.destinations.compactMap { Family.Address($0) })
        }
    }

    public mutating func start(at now: Instant, into output: inout FrameQueue) {
        events.append(ApplianceEvent(.ready, at: now))
    }

    public mutating func process(
        _ frames: UnsafeBufferPointer<Frame>, at now: Instant, into output: inout FrameQueue
    ) {
        for frame in frames {
            if frame.port == tunnelPort {
                tally.count(.receivedFromHost)
                tally.drop(.noRoute)
            } else if frame.side == .host {
                tally.count(.receivedFromHost)
                sendFromKernel(frame, into: &output)
            } else {
                tally.count(.receivedFromWire)
                receive(frame, into: &output)
            }
        }
    }

    private mutating func receive(_ frame: Frame, into output: inout FrameQueue) {
        // Only a frame for this member's own MAC address can hold its tunnel packet; the kernel judges all others.
        guard frame.length >= 14, Int(frame.port) < configuration.ports.count,
            UnsafeRawPointer(frame.base).readMAC(at: 0) == configuration.ports[Int(frame.port)].mac
        else { return deliver(frame, into: &output) }
        if let outer = PacketView(frame.bytes) {
            unwrap(outer, at: ends, frame, into: &output)
        } else if !ipv6Ends.isEmpty, let outer = IPv6PacketView(frame.bytes) {
            unwrap(outer, at: ipv6Ends, frame, into: &output)
        } else {
            deliver(frame, into: &output)
        }
    }

    private mutating func unwrap<Family: TunnelFamily>(
        _ outer: IPPacketView<Family>, at ends: [IPTunnelEnd<Family>], _ frame: Frame, into output: inout FrameQueue
    ) {
        for end in ends {
            switch end.unwrap(outer, in: frame.bytes) {
            case .notTunnelled: continue
            case .refused(let reason): return tally.drop(reason)
            case .packet(let packet, let bytes):
                guard let base = bytes.baseAddress else { return }
                packet.setMACs(destination: configuration.mac, source: configuration.ports[Int(frame.port)].mac)
                let inner = Frame(base: base, length: Int32(bytes.count), port: tunnelPort, side: .wire)
                guard output.append(inner) else { return tally.drop(.outputFull) }
                return tally.count(.tunnelUnwrapped)
            }
        }
        deliver(frame, into: &output)
    }

    private mutating func deliver(_ frame: Frame, into output: inout FrameQueue) {
        guard output.append(Frame(base: frame.base, length: frame.length, port: frame.port, side: .host)) else {
            return tally.drop(.outputFull)
        }
        tally.count(.toHost)
    }

    private mutating func sendFromKernel(_ frame: Frame, into output: inout FrameQueue) {
        if configuration.clampsSegmentSize {
            if let packet = PacketView(frame.bytes) {
                clampSegmentSize(packet)
            } else if let packet = IPv6PacketView(frame.bytes) {
                clampSegmentSize(packet)
            }
        }
        guard output.append(Frame(base: frame.base, length: frame.length, port: frame.port, side: .wire)) else {
            return tally.drop(.outputFull)
        }
        tally.count(.fromHost)
    }

    private mutating func clampSegmentSize<Family: TunnelFamily>(_ packet: IPPacketView<Family>) {
        guard packet.tcpFlags.contains(.syn), configuration.destinations.contains(packet.source.erased),
            packet.clampMaximumSegmentSize(to: clamp)
        else { return }
        tally.count(.segmentSizeClamped)
    }

    public var deadline: Instant? { nil }
    public mutating func advance(to now: Instant, into output: inout FrameQueue) {}

    public mutating func perform(
        _ command: ApplianceCommand, at now: Instant, into output: inout FrameQueue
    ) -> ApplianceReply {
        // The kernel behind a dead link sees to it by itself.
        if case .carrier = command { return .done }
        return .refused(reason: "\(configuration.name) is the end of a tunnel and takes no commands")
    }

    public mutating func takeEvents() -> [ApplianceEvent] {
        if events.isEmpty { return [] }
        defer { events.removeAll() }
        return events
    }

    public var counters: [CounterReading] { tally.readings() }
}
