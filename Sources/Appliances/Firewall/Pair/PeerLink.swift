import Dataplane
import LabTime
import Redundancy
import Wire

/// The cross-connect of a pair: carries messages and conduit frames to the peer.
struct PeerLink: ~Copyable {
    let cross: PairSettings.CrossConnect
    /// The pair's; nil where messages are not authenticated.
    private let key: SyncKey?
    /// Where a packet is put together, which may have to wait for the peer's MAC address.
    private let scratch: UnsafeMutableRawPointer

    init(_ cross: PairSettings.CrossConnect, key: SyncKey?) {
        self.cross = cross
        self.key = key
        scratch = .allocate(byteCount: FrameQueue.longestFrame, alignment: 64)
    }

    deinit { scratch.deallocate() }

    /// Sends a message as UDP; while the peer's MAC address is asked for, it waits.
    mutating func send(
        _ message: UnsafeRawBufferPointer, port: UInt16 = SyncChannel.udpPort, by ports: inout BoxPorts,
        at now: Instant, into output: inout FrameQueue
    ) {
        guard let source = message.baseAddress else { return }
        let udpOffset = EthernetHeader.length + IPv4Header.minimumLength
        let offset = udpOffset + UDPHeader.length
        guard offset + message.count + SyncAuthenticator.length <= FrameQueue.longestFrame else { return }
        (scratch + offset).copyMemory(from: source, byteCount: message.count)
        var count = message.count
        if let key, port == PairSettings.configurationPort {
            // The channel's own messages are authentic already.
            let space = UnsafeMutableRawBufferPointer(start: scratch + offset, count: FrameQueue.longestFrame - offset)
            count = SyncAuthenticator.seal(space, count: count, key: key) ?? count
        }
        let length = offset + count
        let udp = UDPHeader(sourcePort: port, destinationPort: port).emit(
            into: UnsafeMutableRawBufferPointer(start: scratch + udpOffset, count: length - udpOffset),
            payloadLength: count, source: cross.ownAddress, destination: cross.peerAddress)
        precondition(udp != nil)
        _ = send(.udp, payloadLength: length - udpOffset, by: &ports, at: now, into: &output)
    }

    /// Sends a packet behind GRE.
    /// - Precondition: `fits`
    /// - Returns: whether it left, or waits for the peer's MAC address
    mutating func send(
        _ packet: PacketView, _ key: ConduitKey, by ports: inout BoxPorts, at now: Instant,
        into output: inout FrameQueue
    ) -> Bool {
        let greOffset = EthernetHeader.length + IPv4Header.minimumLength
        let gre = GREHeader(protocolType: .ipv4, key: key.rawValue)
        let length = packet.layout.packetLength
        let offset = greOffset + gre.length
        guard let source = packet.packet.baseAddress, offset + length <= FrameQueue.longestFrame else { return false }
        (scratch + offset).copyMemory(from: source, byteCount: length)
        let bytes = UnsafeMutableRawBufferPointer(start: scratch, count: offset + length)
        let written = gre.emit(
            into: UnsafeMutableRawBufferPointer(rebasing: bytes[greOffset...]), payloadLength: length)
        precondition(written == gre.length)
        return send(.gre, payloadLength: gre.length + length, by: &ports, at: now, into: &output)
    }

    /// Whether a packet and its headers fit a frame of the cross-connect.
    func fits(_ packet: PacketView, _ ports: borrowing BoxPorts) -> Bool {
        let length = packet.layout.packetLength
        return length + ConduitKey.overhead <= Int(ports[cross.port].mtu)
            && EthernetHeader.length + ConduitKey.overhead + length <= FrameQueue.longestFrame
    }

    /// Sends what stands in `scratch` behind the place of an Ethernet and an IPv4 header.
    /// - Returns: whether it left, or waits for the peer's MAC address
    private mutating func send(
        _ proto: IPProtocol, payloadLength: Int, by ports: inout BoxPorts, at now: Instant,
        into output: inout FrameQueue
    ) -> Bool {
        guard ports[cross.port].isUp else { return false }
        let length = EthernetHeader.length + IPv4Header.minimumLength + payloadLength
        let frame = UnsafeMutableRawBufferPointer(start: scratch, count: length)
        // The control channel goes first where a link knows classes; data are as they were.
        let ip = IPv4Header(
            source: cross.ownAddress, destination: cross.peerAddress, protocol: proto, timeToLive: 255,
            trafficClass: proto == .udp ? 0xc0 : 0
        ).emit(
            into: UnsafeMutableRawBufferPointer(rebasing: frame[EthernetHeader.length...]),
            payloadLength: payloadLength)
        let peerMAC = ports.neighbors.lookup(cross.peerAddress, on: cross.port)
        let ethernet = EthernetHeader(
            destination: peerMAC ?? .zero, source: ports[cross.port].mac, etherType: .ipv4
        ).emit(into: frame)
        precondition(ip != nil && ethernet != nil)
        guard peerMAC != nil else {
            // The neighbour table keeps a copy and asks for the peer.
            ports.forward(
                Frame(base: scratch, length: Int32(length), port: cross.port, side: .wire),
                to: NextHop(port: cross.port, address: cross.peerAddress), at: now, into: &output)
            return true
        }
        guard let copy = output.make(length: length, port: cross.port, side: .wire) else {
            ports.counters.drop(.outputFull)
            return false
        }
        copy.copyMemory(from: UnsafeRawBufferPointer(frame))
        ports.counters.count(.made)
        return true
    }
}

extension PairSettings.CrossConnect {
    /// Only the peer sends on the cross-connect, and from this link (RFC 5082).
    func isFromPeer(_ frame: Frame, _ layout: FrameLayout) -> Bool {
        // Guard: the layout vouches for the IPv4 header.
        layout.fiveTuple.source == peerAddress && !layout.isFragment
            && UnsafeRawPointer(frame.base).readUInt8(at: Int(layout.networkOffset) + 8) == 255
    }
}
