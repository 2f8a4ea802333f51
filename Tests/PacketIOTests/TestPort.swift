import CLinux
import Glibc
import LabTime

/// A plain packet socket on one interface: what a neighbour of the box sends and sees.
final class TestPort {
    private let socket: Int32

    /// - Parameter seesOutgoing: whether it also sees what others send through the interface, as a capture does
    init(_ interface: String, seesOutgoing: Bool = false) throws {
        socket = Glibc.socket(AF_PACKET, Int32(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw TestFailure("no packet socket: errno \(errno)") }
        var ignore: Int32 = seesOutgoing ? 0 : 1
        setsockopt(socket, SOL_PACKET, PACKET_IGNORE_OUTGOING, &ignore, 4)
        // Past the queue, which the kernel attaches some time after the link came up.
        var bypass: Int32 = 1
        setsockopt(socket, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, 4)
        var bytes: Int32 = 8 << 20
        setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, 4)
        var address = sockaddr_ll()
        address.sll_family = sa_family_t(AF_PACKET)
        address.sll_protocol = UInt16(ETH_P_ALL).bigEndian
        address.sll_ifindex = Int32(if_nametoindex(interface))
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_ll>.size))
            }
        }
        guard address.sll_ifindex != 0, result == 0 else { throw TestFailure("no interface \(interface)") }
        // The first question switches the kernel's time stamps on.
        _ = stamp()
    }

    deinit { close(socket) }

    /// Sends a frame, unless the kernel refuses it because the link is down.
    func send(_ frame: [UInt8]) { _ = Glibc.send(socket, frame, frame.count, 0) }

    /// The next frame that waits; nil where none does.
    func receive() -> [UInt8]? {
        withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { buffer in
            let count = recv(socket, buffer.baseAddress, buffer.count, 0)
            return count < 0 ? nil : Array(buffer[..<count])
        }
    }

    /// Waits until a frame is there, but only so long.
    func wait(milliseconds: Int32) {
        var poll = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        Glibc.poll(&poll, 1, milliseconds)
    }

    /// Every frame that waits.
    func receiveAll() -> [[UInt8]] {
        var frames: [[UInt8]] = []
        while let frame = receive() { frames.append(frame) }
        return frames
    }

    /// When the kernel saw the last frame received.
    func stamp() -> Timestamp? {
        var time = timespec()
        let request: UInt = 0x8907  // SIOCGSTAMPNS, which <linux/sockios.h> computes in a macro
        guard ioctl(socket, request, &time) == 0 else { return nil }
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

enum PortFrame {
    /// An IPv4 packet with its number in the identification.
    static func ipv4(_ proto: UInt8, to port: UInt16 = 0, number: UInt8, header: UInt8 = 0x45, length: Int = 60)
        -> [UInt8]
    {
        var frame: [UInt8] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, header, 0, 0, 0, 0, number]
        frame += [UInt8](repeating: 0, count: length - frame.count)
        frame[23] = proto
        if length >= 38 { frame.replaceSubrange(36..<38, with: [UInt8(port >> 8), UInt8(port & 0xff)]) }
        return frame
    }

    /// A frame of an EtherType for local experiments (0x88B5, IEEE 802), which no kernel answers.
    static func make(
        length: Int, number: UInt32 = 0, to destination: [UInt8] = [2, 0, 0, 0, 0, 1],
        from source: [UInt8] = [2, 0, 0, 0, 0, 2]
    ) -> [UInt8] {
        var frame = destination + source + [0x88, 0xb5]
        frame += withUnsafeBytes(of: number.bigEndian) { Array($0) }
        for i in frame.count..<length { frame.append(UInt8(truncatingIfNeeded: i &* 31 &+ Int(number))) }
        return frame
    }

    static func number(of frame: [UInt8]) -> UInt32 { frame[14..<18].reduce(0) { $0 << 8 | UInt32($1) } }
}
