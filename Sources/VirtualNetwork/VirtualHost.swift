public import LabTime
public import Wire

/// A frame that a host received, and when.
public struct ReceivedFrame: Hashable, Sendable {
    public var at: Instant
    public var bytes: [UInt8]
}

/// A host with one interface: it answers questions for its addresses, learns whoever asks or answers, and keeps what it
/// receives.
public final class VirtualHost: VirtualStation {
    public let name: String
    public let mac: MACAddress
    public var addresses: [IPAddress]
    /// Where packets to other networks go.
    public var gateway: IPAddress?
    /// Whether it answers ARP and neighbour solicitations.
    public var answers = true
    /// MAC addresses by what they were announced for.
    public var neighbors: [IPAddress: MACAddress] = [:]
    /// Frames to its MAC address that are neither ARP nor neighbour discovery, in order.
    public var received: [ReceivedFrame] = []
    private unowned let network: VirtualNetwork

    init(_ name: String, mac: MACAddress, addresses: [IPAddress], in network: VirtualNetwork) {
        self.name = name
        self.mac = mac
        self.addresses = addresses
        self.network = network
    }

    /// The gateway's MAC address as it knows it; nil without a gateway, and where it does not know it.
    public var gatewayMAC: MACAddress? {
        get { gateway.flatMap { neighbors[$0] } }
        set { if let gateway { neighbors[gateway] = newValue } }
    }

    public func send(_ bytes: [UInt8]) { network.send(bytes, from: self, port: 0) }

    public func receive(_ bytes: [UInt8], on port: Int) {
        var bytes = bytes
        let isResolution = bytes.withUnsafeMutableBytes { buffer -> Bool in
            switch ParsedFrame(buffer) {
            case .arp(let packet):
                resolve(packet)
                return true
            case .ipv6(let packet): return resolve(packet)
            default: return false
            }
        }
        guard !isResolution, bytes.count >= 6 else { return }
        // Guard: 6 bytes.
        let destination = bytes.withUnsafeBytes { $0.baseAddress!.readMAC(at: 0) }
        if destination == mac { received.append(ReceivedFrame(at: network.now, bytes: bytes)) }
    }

    private func resolve(_ packet: ARPHeader) {
        neighbors[.ipv4(packet.senderAddress)] = packet.senderMAC
        guard packet.operation == .request, answers, addresses.contains(.ipv4(packet.targetAddress)) else { return }
        send(Self.frame(FrameBuilder.arpLength) { FrameBuilder.arpReply(to: packet, mac: mac, into: $0) })
    }

    /// - Returns: whether it is a message of neighbour discovery
    private func resolve(_ packet: IPv6PacketView) -> Bool {
        guard packet.ipProtocol == .icmpv6,
            let view = try? ICMPv6View(packet.segment, source: packet.source, destination: packet.destination),
            let message = try? NeighborDiscovery(view)
        else { return false }
        switch message {
        case .neighborSolicitation(let target, let sender):
            if let sender { neighbors[.ipv6(packet.source)] = sender }
            guard answers, addresses.contains(.ipv6(target)) else { return true }
            let reply = NeighborDiscovery.neighborAdvertisement(
                target: target, flags: [.solicited, .override], linkLayerAddress: mac)
            send(
                Self.frame(FrameBuilder.neighborDiscoveryLength) {
                    FrameBuilder.neighborDiscovery(
                        reply, from: target, mac: mac, to: packet.source, mac: packet.sourceMAC, into: $0)
                })
        case .neighborAdvertisement(let target, _, let sender):
            if let sender { neighbors[.ipv6(target)] = sender }
        default: break
        }
        return true
    }

    /// Asks for an address of a neighbour, as the first step towards it.
    /// - Parameter own: which of its addresses asks; nil for the first of the family
    public func ask(for target: IPAddress, from own: IPAddress? = nil) {
        guard let own = own ?? addresses.first(where: { $0.family == target.family }) else { return }
        switch (target, own) {
        case (.ipv4(let target), .ipv4(let own)):
            send(
                Self.frame(FrameBuilder.arpLength) {
                    FrameBuilder.arpRequest(for: target, from: own, mac: mac, into: $0)
                })
        case (.ipv6(let target), .ipv6(let own)):
            send(
                Self.frame(FrameBuilder.neighborDiscoveryLength) {
                    FrameBuilder.neighborSolicitation(for: target, from: own, mac: mac, into: $0)
                })
        default: break
        }
    }

    public var deadline: Instant? { nil }
    public func advance() {}

    private static func frame(_ length: Int, _ emit: (UnsafeMutableRawBufferPointer) -> Int?) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: length)
        let written = bytes.withUnsafeMutableBytes { emit($0) }
        precondition(written == length, "the frame fits")
        return bytes
    }
}
