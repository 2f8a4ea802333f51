internal import CLinux

/// A frame as it lies in a ring, valid until its block is given back.
struct RingFrame {
    /// A VLAN tag, which the kernel keeps beside the frame.
    struct Tag: Hashable {
        static let length = 4
        /// Of the addresses, behind which it stands on the wire.
        static let offset = 12
        /// 0x8100 or 0x88a8
        var tagProtocol: UInt16
        var control: UInt16
    }

    /// Of the interface in its namespace.
    var interface: Int32
    /// Since 1970.
    var seconds: UInt32
    var nanoseconds: UInt32
    /// Without the tag.
    var bytes: UnsafeRawBufferPointer
    /// Bytes on the wire, without the tag.
    var originalLength: UInt32
    var tag: Tag?

    /// Bytes on the wire.
    var lengthOnWire: UInt32 { originalLength + (tag == nil ? 0 : UInt32(Tag.length)) }
}

/// One block of a ring that the kernel has handed over.
///
/// ```
/// block: struct tpacket_block_desc │ frame │ frame │ …
/// frame: struct tpacket3_hdr │ struct sockaddr_ll │ padding │ Ethernet frame │ padding
/// ```
/// A frame's header has the offset of the next one. Source: linux/if_packet.h, net/packet/af_packet.c
struct RingBlock {
    let base: UnsafeRawPointer

    /// - Returns: how many frames it holds
    @inline(__always)
    func forEach(_ body: (RingFrame) -> Void) -> Int {
        var first: UInt32 = 0
        let count = Int(cl_block_frames(base, &first))
        var place = base + Int(first)
        var read = cl_captured_frame()
        for _ in 0..<count {
            cl_captured_read(place, &read)
            let hasTag = read.has_tag != 0 && read.captured >= RingFrame.Tag.offset
            body(
                RingFrame(
                    interface: read.interface, seconds: read.seconds, nanoseconds: read.nanoseconds,
                    bytes: UnsafeRawBufferPointer(start: read.bytes, count: Int(read.captured)),
                    originalLength: read.original,
                    tag: hasTag ? RingFrame.Tag(tagProtocol: read.tag_protocol, control: read.tag) : nil))
            place += Int(read.next)
        }
        return count
    }
}
