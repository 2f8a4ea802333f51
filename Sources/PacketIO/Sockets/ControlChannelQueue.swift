internal import Appliances
internal import CLinux
internal import Dataplane
internal import Glibc
internal import Wire

/// A second packet socket, for the frames of a pair's conversation alone (`ControlChannelFrames`): however full the ring
/// is, these have room, and they are taken first.
///
/// Without a ring, because each costs grace periods of the kernel; these frames are few, so a copy of each is cheap.
final class ControlChannelQueue {
    /// Frames taken at a time, and never more of one batch, so that others have their turn.
    private static let batch = 64

    private let socket: PacketDescriptor
    private let slots: UnsafeMutableRawPointer
    private let messages: UnsafeMutablePointer<cl_message>
    private let vectors: UnsafeMutablePointer<iovec>
    private let addresses: UnsafeMutablePointer<sockaddr_ll>
    private let slotSize: Int
    private let headroom: Int
    private let longestFrame: Int

    init(_ filter: ControlChannelFilter, options: PacketSocketOptions) throws(PacketSocketError) {
        let socket = try PacketDescriptor()
        try socket.set(PACKET_IGNORE_OUTGOING, Int32(1), "ignore the box's own frames")
        try filter.attach(to: socket, takesControlChannel: true)
        socket.growReceiveBuffer()
        try socket.bind(to: filter.interface)
        self.socket = socket
        slotSize = options.slotSize
        headroom = options.headroom
        longestFrame = options.frameLimit
        slots = .allocate(byteCount: Self.batch * options.slotSize, alignment: 64)
        messages = .allocate(capacity: Self.batch)
        vectors = .allocate(capacity: Self.batch)
        addresses = .allocate(capacity: Self.batch)
        messages.initialize(repeating: cl_message(), count: Self.batch)
        vectors.initialize(repeating: iovec(), count: Self.batch)
        addresses.initialize(repeating: sockaddr_ll(), count: Self.batch)
        for i in 0..<Self.batch {
            // Two bytes, so that the network header behind 14 of Ethernet is aligned as in the ring.
            vectors[i] = iovec(iov_base: slots + i * slotSize + headroom + 2, iov_len: longestFrame)
            messages[i].header.msg_iov = vectors + i
            messages[i].header.msg_iovlen = 1
            messages[i].header.msg_name = UnsafeMutableRawPointer(addresses + i)
        }
    }

    deinit {
        slots.deallocate()
        messages.deallocate()
        vectors.deallocate()
        addresses.deallocate()
    }

    var descriptor: Int32 { socket.descriptor }

    /// Takes waiting frames, as many as fit; they stay valid until the next call.
    /// - Returns: how many were written to `frames`
    func receive(
        into frames: UnsafeMutableBufferPointer<Frame>, from links: inout Links, counters: inout PacketCounters
    ) -> Int {
        let most = min(Self.batch, frames.count)
        for i in 0..<most { messages[i].header.msg_namelen = socklen_t(MemoryLayout<sockaddr_ll>.size) }
        // MSG_TRUNC: the length is the frame's, not what was copied of it.
        let taken = cl_receive_messages(
            socket.descriptor, messages, UInt32(most), Int32(MSG_DONTWAIT | MSG_TRUNC))
        var count = 0
        for i in 0..<Int(max(0, taken)) {
            guard let link = links.link(ofInterface: addresses[i].sll_ifindex) else {
                counters.foreign &+= 1
                continue
            }
            guard messages[i].sent <= UInt32(longestFrame) else {
                counters.tooLong &+= 1
                continue
            }
            frames[count] = Frame(
                base: slots + i * slotSize + headroom + 2, length: Int32(truncatingIfNeeded: messages[i].sent),
                port: PortIndex(truncatingIfNeeded: link >> 1), side: link & 1 == 0 ? .wire : .host)
            count &+= 1
        }
        counters.received &+= UInt64(count)
        return count
    }

    func clearError() { socket.clearError() }

    /// Frames dropped since the last call because the queue was full.
    func takeDropCount() -> UInt64 { socket.takeDropCount() }
}

/// `ControlChannelFrames` by the kernel's numbers.
struct ControlChannelFilter {
    let frames: ControlChannelFrames
    /// 0 for any.
    let interface: Int32

    /// nil where there is no such port.
    init?(_ frames: ControlChannelFrames, _ links: borrowing Links) {
        switch frames {
        case .datagrams(let port, _):
            guard let found = links.interface(port: port, side: .wire) else { return nil }
            interface = found
        case .packets: interface = 0
        }
        self.frames = frames
    }

    /// Each frame of the box fits exactly one of the two sockets.
    func attach(to socket: borrowing PacketDescriptor, takesControlChannel: Bool) throws(PacketSocketError) {
        let (proto, ports): (IPProtocol, ClosedRange<UInt16>) =
            switch frames {
            case .datagrams(_, let ports): (.udp, ports)
            case .packets(let proto): (proto, 0...UInt16.max)
            }
        let result = cl_separate(
            socket.descriptor, interface, Int32(proto.rawValue), Int32(ports.lowerBound), Int32(ports.upperBound),
            takesControlChannel ? 1 : 0)
        guard result == 0 else { throw .refused(step: "separate the pair's conversation from other frames", .current) }
    }
}
