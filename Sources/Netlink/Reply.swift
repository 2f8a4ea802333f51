internal import CNetlink
internal import Glibc

/// One message from the kernel; borrows the buffer into which it was received.
struct Reply {
    let header: UnsafePointer<nlmsghdr>

    var type: Int32 { Int32(header.pointee.nlmsg_type) }
    var sequence: UInt32 { header.pointee.nlmsg_seq }
    var port: UInt32 { header.pointee.nlmsg_pid }
    /// The list changed while it was being written, so it may lack entries.
    var isInterrupted: Bool { Int32(header.pointee.nlmsg_flags) & Int32(NLM_F_DUMP_INTR) != 0 }

    private var payloadLength: Int { mnl_nlmsg_get_payload_len(header) }

    /// The fixed structure at the start of the payload; nil where the message is too short for it.
    func structure<T: BitwiseCopyable>(_ type: T.Type = T.self) -> T? {
        guard payloadLength >= MemoryLayout<T>.size, let payload = mnl_nlmsg_get_payload(header) else { return nil }
        return payload.loadUnaligned(as: T.self)
    }

    /// Attributes behind a fixed structure of that many bytes.
    func attributes(after size: Int) -> Attributes {
        let aligned = (size + 3) / 4 * 4
        guard payloadLength >= aligned, let start = mnl_nlmsg_get_payload_offset(header, aligned) else {
            return Attributes(next: nil, remaining: 0)
        }
        return Attributes(next: UnsafeRawPointer(start), remaining: payloadLength - aligned)
    }

    /// The kernel's verdict: 0 or an errno, with its words. nil where the message is none.
    var acknowledgement: (code: Int32, message: String?)? {
        if type == NLMSG_DONE { return (-(structure(Int32.self) ?? 0), nil) }
        guard type == NLMSG_ERROR, let error = structure(nlmsgerr.self) else { return nil }
        var message: String?
        let flags = Int32(header.pointee.nlmsg_flags)
        if flags & Int32(NLM_F_ACK_TLVS) != 0 {
            // The request itself stands between verdict and attributes, or only its header.
            let isCapped = flags & Int32(NLM_F_CAPPED) != 0 || error.error == 0
            let request = isCapped ? MemoryLayout<nlmsghdr>.size : Int(error.msg.nlmsg_len)
            for attribute in attributes(after: MemoryLayout<Int32>.size + request)
            where attribute.type == UInt16(NLMSGERR_ATTR_MSG.rawValue) {
                message = attribute.string
            }
        }
        return (-error.error, message)
    }
}

/// The messages of one datagram, in order.
struct Replies: Sequence, IteratorProtocol {
    private var position: UnsafePointer<nlmsghdr>?
    private var remaining: Int32

    init(bytes: UnsafeRawBufferPointer) {
        position = bytes.baseAddress?.assumingMemoryBound(to: nlmsghdr.self)
        remaining = Int32(bytes.count)
    }

    mutating func next() -> Reply? {
        guard let header = position, mnl_nlmsg_ok(header, remaining) else { return nil }
        position = UnsafePointer(mnl_nlmsg_next(header, &remaining))
        return Reply(header: header)
    }
}

/// One attribute; borrows like `Reply`.
struct Attribute {
    let pointer: UnsafePointer<nlattr>

    /// Without the flags for nesting and byte order.
    var type: UInt16 { mnl_attr_get_type(pointer) }
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: mnl_attr_get_payload(pointer), count: Int(mnl_attr_get_payload_len(pointer)))
    }
    var u32: UInt32? { bytes.count >= 4 ? bytes.loadUnaligned(as: UInt32.self) : nil }
    /// Up to the terminating zero.
    var string: String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    var nested: Attributes { Attributes(next: bytes.baseAddress, remaining: bytes.count) }
}

struct Attributes: Sequence, IteratorProtocol {
    private var position: UnsafeRawPointer?
    private var remaining: Int

    init(next: UnsafeRawPointer?, remaining: Int) {
        position = next
        self.remaining = remaining
    }

    mutating func next() -> Attribute? {
        guard let start = position else { return nil }
        let pointer = start.assumingMemoryBound(to: nlattr.self)
        guard mnl_attr_ok(pointer, Int32(remaining)), let following = mnl_attr_next(pointer) else { return nil }
        remaining -= UnsafeRawPointer(following) - start
        position = UnsafeRawPointer(following)
        return Attribute(pointer: pointer)
    }
}
