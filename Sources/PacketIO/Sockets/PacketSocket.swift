public import Appliances
internal import CLinux
public import Dataplane
internal import Glibc
internal import SystemPackage

/// The packet socket of a box: every frame of every port, in order of arrival, in one receive ring.
///
/// One ring for the whole network namespace, not one a port. Each ring costs an RCU grace period to make and two to
/// give up, one after another where a process is killed: six rings took 16 ms to open and about 150 ms to reclaim,
/// one takes 8 and 40, and forwards no slower. It is bound to no interface, so it also keeps working while an
/// interface goes down and comes back. The price: ports share the ring's slots.
///
/// A pair's conversation has a queue of its own (`ControlChannelQueue`), which is taken first.
///
/// Another socket sends. Whenever a sent frame's memory is freed, the kernel wakes whoever watches its socket; on a
/// socket that epoll watches for reading, that alone made a forwarded frame a quarter dearer.
///
/// Frames must be complete, that is as long as a wire allows and with their checksums, so the far ends of the box's
/// links have segmentation and checksum offload off. Frames of every destination arrive, virtual MACs included.
public struct PacketSocket: ~Copyable {
    private var ring: ReceiveRing
    private let controlChannel: ControlChannelQueue?
    private var links: Links
    private var batch: TransmitBatch
    private let receiver: PacketDescriptor
    private let sender: PacketDescriptor
    private let ports: [PortInterfaces]
    /// Bytes of the longest frame that is received, without FCS and VLAN tag.
    public let longestFrame: Int
    private var tally = PacketCounters()

    /// Opens the socket in the network namespace of the calling thread; it stays there whichever thread uses it.
    /// - Parameters:
    ///   - ports: in the order of their `PortIndex`
    ///   - conversation: frames that do not share the ring, and are taken first
    public init(
        ports: [PortInterfaces], options: PacketSocketOptions = PacketSocketOptions(),
        controlChannel: ControlChannelFrames? = nil
    ) throws(PacketSocketError) {
        let links = try Links(ports)
        let receiver = try PacketDescriptor()
        let mtu = ports.flatMap { [$0.wire, $0.host].compactMap(\.self) }.map { receiver.mtu(of: $0) }.max()
        let options = options.fitted(toMTU: mtu ?? 1500)
        try receiver.set(PACKET_VERSION, Int32(TPACKET_V2.rawValue), "choose the receive ring's version")
        try receiver.set(PACKET_RESERVE, UInt32(options.headroom), "reserve headroom")
        try receiver.set(PACKET_IGNORE_OUTGOING, Int32(1), "ignore the box's own frames")
        let ring = try ReceiveRing(socket: receiver.descriptor, options: options)
        var queue: ControlChannelQueue?
        if let filter = controlChannel.flatMap({ ControlChannelFilter($0, links) }) {
            try filter.attach(to: receiver, takesControlChannel: false)
            queue = try ControlChannelQueue(filter, options: options)
        }
        // Only now: before it is bound to a protocol, a packet socket hears nothing.
        try receiver.bind()
        // Not promiscuous: a veth hands over every frame anyway, and the kernel would have to be asked again, in turn
        // with everybody else, when the socket is closed.
        // Never bound: it hears nothing at all.
        let sender = try PacketDescriptor()
        if options.bypassesQueueingDiscipline {
            try sender.set(PACKET_QDISC_BYPASS, Int32(1), "bypass the queueing discipline")
        }
        sender.growSendBuffer()
        self.ring = ring
        self.controlChannel = queue
        self.links = links
        self.receiver = receiver
        self.sender = sender
        self.ports = ports
        longestFrame = options.frameLimit
        batch = TransmitBatch(capacity: 1024)
    }

    /// One of them is readable while frames wait. For polling only.
    public var descriptors: [Int32] {
        [controlChannel?.descriptor, receiver.descriptor].compactMap(\.self)
    }

    /// Takes waiting frames, at most as many as fit; they stay valid until `giveBack`.
    public mutating func receive(into frames: UnsafeMutableBufferPointer<Frame>) -> Int {
        let first = controlChannel?.receive(into: frames, from: &links, counters: &tally) ?? 0
        return first
            + ring.receive(
                into: UnsafeMutableBufferPointer(rebasing: frames[first...]), from: &links, counters: &tally)
    }

    /// Sends the queue's frames in order; each is sent or counted, and the call never waits.
    public mutating func transmit(_ queue: borrowing FrameQueue) {
        batch.transmit(queue, through: sender.descriptor, to: links, counters: &tally)
    }

    /// Returns the slots of the frames that `receive` handed over, after they were transmitted.
    public mutating func giveBack() { ring.giveBack() }

    /// Makes sure that every interface with carrier transmits, before the first frames are sent. Each takes some
    /// microseconds on current kernels, on older ones up to 100 ms where its carrier has just come.
    public func waitForTransmission() {
        for port in ports {
            receiver.waitForTransmission(on: port.wire)
            if let host = port.host { receiver.waitForTransmission(on: host) }
        }
    }

    /// Clears an error that the kernel left on the socket, so that it does not stay ready for ever.
    public func clearError() {
        receiver.clearError()
        controlChannel?.clearError()
    }

    /// What was received, sent and dropped since the socket was opened.
    public var counters: PacketCounters {
        mutating get {
            tally.ringFull &+= receiver.takeDropCount()
            if let controlChannel { tally.controlChannelFull &+= controlChannel.takeDropCount() }
            return tally
        }
    }
}
