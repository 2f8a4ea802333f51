internal import CLinux
internal import CPcap
internal import Glibc
internal import LabTime
internal import SystemPackage

/// An activated libpcap handle with its ring, and a socket that sends beside it; owned by whoever holds it.
///
/// Two sockets, because the kernel does not show a packet socket what it sent itself.
struct PacketRing: @unchecked Sendable {
    let handle: OpaquePointer
    /// Readable when a block is handed over.
    let descriptor: Int32
    let sender: Int32
    let interfaceIndex: Int32

    /// Opens the ring of a point. Moves the calling thread into the point's namespace and leaves it there; handle and
    /// sockets stay bound to it.
    ///
    /// Some 13 ms, nearly all of it waiting (synchronize_rcu when the ring is set up).
    static func open(_ point: CapturePoint, _ settings: CaptureSettings) -> Result<PacketRing, CaptureError> {
        let name = "\(point.node).\(point.interface)"
        func failure(_ detail: String?, _ code: Int32? = nil) -> Result<PacketRing, CaptureError> {
            .failure(
                CaptureError(
                    .cannotOpenInterface, capture: name, errno: code.map { Errno(rawValue: $0) }, detail: detail))
        }
        // libpcap's word for all interfaces at once.
        guard point.interface != "any" else { return failure("an interface cannot be called 'any'") }
        let entered = cl_setns(point.namespace, cl_new_net)
        guard entered == 0 else { return failure("cannot enter its network namespace", entered) }
        let index = if_nametoindex(point.interface)
        guard index > 0 else { return failure("there is no such interface in its namespace") }

        var words = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        guard let handle = pcap_create(point.interface, &words) else { return failure(text(words)) }
        pcap_set_snaplen(handle, Int32(settings.snapLength))
        // Every frame of a veth reaches its end, whatever its address; promiscuous mode would add nothing but log lines.
        pcap_set_promisc(handle, 0)
        pcap_set_timeout(handle, Int32(max(1, settings.blockTimeout.nanoseconds / 1_000_000)))
        // Immediate mode would make libpcap fall back to TPACKET_V2 with some 32 frames.
        pcap_set_immediate_mode(handle, 0)
        pcap_set_buffer_size(handle, Int32(clamping: settings.ringSize))
        pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO)
        let status = pcap_activate(handle)
        guard status >= 0 else {
            let detail = String(cString: pcap_geterr(handle))
            let meaning = String(cString: pcap_statustostr(status))
            pcap_close(handle)
            let isPermission = status == PCAP_ERROR_PERM_DENIED
            return failure(detail.isEmpty ? meaning : "\(meaning) (\(detail))", isPermission ? EPERM : nil)
        }
        func closing(_ detail: String?, _ code: Int32? = nil) -> Result<PacketRing, CaptureError> {
            pcap_close(handle)
            return failure(detail, code)
        }
        guard pcap_get_tstamp_precision(handle) == PCAP_TSTAMP_PRECISION_NANO else {
            return closing("this libpcap gives no nanosecond timestamps")
        }
        guard pcap_datalink(handle) == DLT_EN10MB else { return closing("it carries something other than Ethernet") }
        guard pcap_setdirection(handle, PCAP_D_INOUT) == 0, pcap_setnonblock(handle, 1, &words) == 0 else {
            return closing(text(words))
        }
        let sender = cl_packet_sender()
        guard sender >= 0 else { return closing("cannot open a socket for sentinel frames", -sender) }
        return .success(
            PacketRing(
                handle: handle, descriptor: pcap_get_selectable_fd(handle), sender: sender,
                interfaceIndex: Int32(index)))
    }

    /// Lets the kernel hand over only what a filter selects.
    /// - Returns: libpcap's message where it refuses the filter
    func select(_ filter: String) -> String? {
        var program = bpf_program()
        guard pcap_compile(handle, &program, filter, 1, UInt32.max /* PCAP_NETMASK_UNKNOWN */) == 0 else {
            return String(cString: pcap_geterr(handle))
        }
        defer { pcap_freecode(&program) }
        return pcap_setfilter(handle, &program) == 0 ? nil : String(cString: pcap_geterr(handle))
    }

    /// The kernel's counters since the ring was opened: frames that were put into it, and frames that did not fit;
    /// nil where the kernel does not report them. A call of getsockopt(2).
    func statistics() -> (delivered: Int, dropped: Int)? {
        var counters = pcap_stat()
        guard pcap_stats(handle, &counters) == 0 else { return nil }
        // ps_recv counts the dropped ones too.
        let dropped = Int(counters.ps_drop)
        return (Int(counters.ps_recv) - dropped, dropped + Int(counters.ps_ifdrop))
    }

    /// Closes rings without waiting: the kernel takes some 15 ms for each socket, and twice that for one with a ring
    /// (synchronize_rcu).
    static func close(_ rings: [PacketRing]) {
        ParallelThreads.start(rings.count * 2) { position in
            let ring = rings[position / 2]
            if position % 2 == 0 { pcap_close(ring.handle) } else { _ = Glibc.close(ring.sender) }
        }
    }

    private static func text(_ words: [CChar]) -> String {
        String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
