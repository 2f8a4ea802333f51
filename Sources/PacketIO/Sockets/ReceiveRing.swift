internal import CLinux
internal import Dataplane
internal import Glibc
internal import Wire

/// The receive ring of a packet socket, shared with the kernel: TPACKET_V2, one frame a slot.
///
///     slot: tpacket2_hdr (32) · sockaddr_ll (20) · alignment and headroom · frame at tp_mac
///
/// Version 2 and not 3, because version 3 hands over blocks and a block waits for its timer: at least a millisecond
/// for a lone frame in each box that it crosses.
struct ReceiveRing: ~Copyable {
    private static let addressOffset = 32  // TPACKET_ALIGN(sizeof(struct tpacket2_hdr))

    private let base: UnsafeMutableRawPointer
    private let byteCount: Int
    private let slotSize: Int
    private let slotMask: Int
    private var head = 0
    private var taken = 0

    /// Makes and maps the ring. The kernel waits for an RCU grace period here (`synchronize_net` in
    /// `packet_set_ring`), 8 to 20 ms on the machines measured, and twice more when the socket ends.
    init(socket: Int32, options: PacketSocketOptions) throws(PacketSocketError) {
        var request = tpacket_req(
            tp_block_size: UInt32(options.blockSize), tp_block_nr: UInt32(options.ringSize / options.blockSize),
            tp_frame_size: UInt32(options.slotSize), tp_frame_nr: UInt32(options.slots))
        guard
            setsockopt(socket, SOL_PACKET, PACKET_RX_RING, &request, socklen_t(MemoryLayout<tpacket_req>.size)) == 0
        else {
            throw errno == ENOMEM ? .noMemory(bytes: options.ringSize) : .notSupported(.current)
        }
        let mapping = mmap(nil, options.ringSize, PROT_READ | PROT_WRITE, MAP_SHARED, socket, 0)
        guard let mapping, mapping != MAP_FAILED else { throw .refused(step: "map the receive ring", .current) }
        base = mapping
        byteCount = options.ringSize
        slotSize = options.slotSize
        slotMask = options.slots - 1
    }

    deinit { munmap(base, byteCount) }

    private func slot(_ number: Int) -> UnsafeMutablePointer<tpacket2_hdr> {
        (base + (number & slotMask) &* slotSize).assumingMemoryBound(to: tpacket2_hdr.self)
    }

    /// Hands over waiting frames in the order of arrival, where they lie, as many as fit.
    /// - Returns: how many were written to `frames`
    /// - Precondition: what was handed over before was given back
    mutating func receive(
        into frames: UnsafeMutableBufferPointer<Frame>, from links: inout Links, counters: inout PacketCounters
    ) -> Int {
        var count = 0
        // Bounded by the batch even where no frame is for a port, so that a flood cannot hold the loop.
        while taken < frames.count, taken <= slotMask {
            let header = slot(head &+ taken)
            let status = cl_ring_status(header)
            guard status & UInt32(TP_STATUS_USER) != 0 else { break }
            taken &+= 1
            // The kernel wrote header and address: offsets are within the slot by its construction.
            let address = (UnsafeRawPointer(header) + Self.addressOffset).assumingMemoryBound(to: sockaddr_ll.self)
            guard let link = links.link(ofInterface: address.pointee.sll_ifindex) else {
                counters.foreign &+= 1
                continue
            }
            guard header.pointee.tp_len <= header.pointee.tp_snaplen else {
                counters.tooLong &+= 1
                continue
            }
            if status & UInt32(TP_STATUS_CSUMNOTREADY) != 0 { counters.checksumsIncomplete &+= 1 }
            var base = UnsafeMutableRawPointer(header) + Int(header.pointee.tp_mac)
            var length = Int32(truncatingIfNeeded: header.pointee.tp_snaplen)
            if status & UInt32(TP_STATUS_VLAN_VALID) != 0 {
                (base, length) = Self.restoreTag(of: header, status, base, length)
            }
            frames[count] = Frame(
                base: base, length: length, port: PortIndex(truncatingIfNeeded: link >> 1),
                side: link & 1 == 0 ? .wire : .host)
            count &+= 1
        }
        counters.received &+= UInt64(count)
        return count
    }

    /// Puts an 802.1Q tag back into its frame: the kernel takes it out and says beside the frame what it was.
    ///
    /// The addresses move four bytes towards the slot's beginning. Guard: `tp_mac` is at least 66 bytes behind it, of
    /// which header and address take 52.
    @inline(never)
    private static func restoreTag(
        of header: UnsafeMutablePointer<tpacket2_hdr>, _ status: UInt32, _ base: UnsafeMutableRawPointer,
        _ length: Int32
    ) -> (UnsafeMutableRawPointer, Int32) {
        guard length >= EthernetHeader.length else { return (base, length) }
        let tagged = base - 4
        memmove(tagged, base, 12)
        let known = status & UInt32(TP_STATUS_VLAN_TPID_VALID) != 0
        let type = known ? header.pointee.tp_vlan_tpid : EtherType.vlan.rawValue
        tagged.storeBytes(of: type.bigEndian, toByteOffset: 12, as: UInt16.self)
        tagged.storeBytes(of: header.pointee.tp_vlan_tci.bigEndian, toByteOffset: 14, as: UInt16.self)
        return (tagged, length &+ 4)
    }

    /// Gives the slots of the last `receive` back to the kernel; the frames in them are gone.
    mutating func giveBack() {
        for number in 0..<taken { cl_ring_give_back(slot(head &+ number)) }
        head = (head &+ taken) & slotMask
        taken = 0
    }
}
