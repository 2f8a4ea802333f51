internal import CLinux
internal import Glibc
internal import SystemPackage

/// An AF_PACKET descriptor and its options.
struct PacketDescriptor: ~Copyable {
    let descriptor: Int32

    /// Protocol 0: the socket hears nothing until it is bound.
    init() throws(PacketSocketError) {
        let type = SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        let opened = socket(AF_PACKET, Int32(type), 0)
        guard opened >= 0 else {
            throw switch errno {
            case EPERM, EACCES: .notPermitted
            case EAFNOSUPPORT, EPROTONOSUPPORT: .notSupported(.current)
            default: .refused(step: "open a packet socket", .current)
            }
        }
        descriptor = opened
    }

    deinit { close(descriptor) }

    func set(_ option: Int32, _ value: some FixedWidthInteger, _ step: String) throws(PacketSocketError) {
        let result = withUnsafeBytes(of: value) {
            setsockopt(descriptor, SOL_PACKET, option, $0.baseAddress, socklen_t($0.count))
        }
        guard result == 0 else {
            throw errno == ENOPROTOOPT || errno == EINVAL
                ? .notSupported(.current) : .refused(step: step, .current)
        }
    }

    /// Room for frames that wait at the far end. Without privilege over the machine the kernel grants what its limit
    /// allows.
    func growSendBuffer() {
        var bytes: Int32 = 4 << 20
        if setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, 4) != 0 {
            setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &bytes, 4)
        }
    }

    /// As above, for frames that wait here.
    func growReceiveBuffer() {
        var bytes: Int32 = 4 << 20
        if setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, 4) != 0 {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, 4)
        }
    }

    /// - Parameter interface: its index; 0 for all. One that goes down and comes up again is heard again.
    func bind(to interface: Int32 = 0) throws(PacketSocketError) {
        var address = sockaddr_ll()
        address.sll_ifindex = interface
        address.sll_family = sa_family_t(AF_PACKET)
        address.sll_protocol = UInt16(ETH_P_ALL).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_ll>.size))
            }
        }
        guard result == 0 else { throw .refused(step: "bind the packet socket", .current) }
    }

    /// 1500 where the kernel does not say.
    func mtu(of interface: String) -> Int {
        let mtu = cl_interface_mtu(descriptor, interface)
        return mtu > 0 ? Int(mtu) : 1500
    }

    /// Waits until an interface that has carrier also transmits.
    ///
    /// Carrier and transmission are not one step: when the second end of a veth comes up, both have carrier at once,
    /// but the first end gets its queue from a worker (`linkwatch_event` in net/core/link_watch.c), and until then
    /// the kernel drops what is sent and reports success. Asking for the link's state by ethtool does the worker's
    /// work at once, since Linux 6.7; before that the worker has to be waited for.
    func waitForTransmission(on interface: String) {
        guard cl_ethtool_get(descriptor, interface, UInt32(ETHTOOL_GLINK)) == 1 else { return }
        var milliseconds = 0
        while milliseconds < 100, cl_interface_is_running(descriptor, interface) == 0 {
            usleep(1000)
            milliseconds += 1
        }
    }

    func clearError() {
        var error: Int32 = 0
        var length = socklen_t(4)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length)
    }

    /// Frames dropped since the last call because the ring was full; the kernel resets its counters when read.
    func takeDropCount() -> UInt64 {
        var statistics = tpacket_stats()
        var length = socklen_t(MemoryLayout<tpacket_stats>.size)
        guard getsockopt(descriptor, SOL_PACKET, PACKET_STATISTICS, &statistics, &length) == 0 else { return 0 }
        return UInt64(statistics.tp_drops)
    }
}

extension Errno {
    /// The error of the last system call.
    static var current: Errno { Errno(rawValue: errno) }
}
