import CLinux
import Glibc
import Netlink
import SystemPackage
import TestSupport
import Wire

/// What the tests need from this host.
enum Host {
    static let needsNamespaces =
        "capturing needs CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_NET_RAW: run the tests as root, or in a user namespace"
    static let canCreateNamespaces: Bool = {
        Privileges.canMakeNetworkNamespaces
            ?? ((try? NamespaceThread.run { _ = try NetworkNamespace.create().identifier }) != nil)
    }()
}

/// Two namespaces with a cable between them: `left` has 192.0.2.1 and `right` 192.0.2.2.
struct CaptureLab: ~Copyable {
    let left: NetworkNamespace
    let right: NetworkNamespace

    init() throws {
        let left = try NetworkNamespace.createAndEnter()
        let right = try NetworkNamespace.createAndEnter()
        for namespace in [left.descriptor, right.descriptor] {
            try NetworkNamespace.enter(namespace)
            try Sysctl.set("net/ipv6/conf/default/disable_ipv6", 1)
            try Sysctl.set("net/ipv6/conf/all/disable_ipv6", 1)
        }
        var socket = try NetlinkSocket(in: left.descriptor)
        try socket.perform([
            .createVethPair(
                VethEnd("inside", mac: MACAddress(2, 0, 0, 0, 0, 1)),
                VethEnd("inside", mac: MACAddress(2, 0, 0, 0, 0, 2), namespace: right.descriptor)),
            .setUp("inside"), .addAddress(IPv4InterfaceAddress("192.0.2.1/24")!, to: "inside"),
        ])
        var there = try NetlinkSocket(in: right.descriptor)
        try there.perform([
            .setUp("inside"), .addAddress(IPv4InterfaceAddress("192.0.2.2/24")!, to: "inside"),
        ])
        try socket.turnOff(on: "inside")
        try there.turnOff(on: "inside")
        self.left = left
        self.right = right
    }

    /// Sends datagrams of 8 bytes from left to right, numbered from `first`.
    func sendDatagrams(_ count: Int, first: Int = 0) throws {
        let sender = try left.perform { socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0) }
        defer { close(sender) }
        for number in first..<first + count {
            var address = Self.address(2, port: 9)
            withUnsafeBytes(of: UInt64(number).bigEndian) { bytes in
                withUnsafePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        _ = sendto(sender, bytes.baseAddress, 8, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
            }
        }
    }

    /// Sends a whole frame through an interface.
    func send(_ frame: [UInt8], through interface: String, of namespace: borrowing NetworkNamespace) throws {
        let sender = try namespace.perform { cl_packet_sender() }
        defer { close(sender) }
        let index = cl_interface_index(sender, interface)
        guard cl_packet_send(sender, index, frame, frame.count) == frame.count else { throw Errno(rawValue: errno) }
    }

    /// One datagram from 127.0.0.1 to itself, in the calling thread's namespace.
    func sendToItself() throws {
        var there = try NetlinkSocket()
        try there.perform(.setUp("lo"))
        let sender = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(sender) }
        var address = Self.address(2, port: 9)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(sender, "lo", 2, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// Sends bytes over a TCP connection from left to right.
    /// - Parameter reading: called after each 16 KiB
    /// - Returns: how many arrived
    func sendStream(_ count: Int, reading: () throws -> Void = {}) throws -> Int {
        let listener = try right.perform { socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        let client = try left.perform { socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        var address = Self.address(2, port: 8080)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(listener, $0, size)
                _ = listen(listener, 1)
                _ = connect(client, $0, size)
            }
        }
        let server = accept(listener, nil, nil)
        var arrived = 0
        var buffer = [UInt8](repeating: 0x5a, count: 16_384)
        // No more than the receiver's window is ever under way, so one thread can do both ends.
        while arrived < count {
            _ = Glibc.send(client, buffer, buffer.count, Int32(MSG_NOSIGNAL))
            var left = buffer.count
            while left > 0, case let got = recv(server, &buffer, left, 0), got > 0 {
                left -= got
                arrived += got
            }
            if left > 0 { break }
            try reading()
        }
        for descriptor in [client, server, listener] { close(descriptor) }
        return arrived
    }

    private static func address(_ host: UInt32, port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = (0xc000_0200 | host).bigEndian
        return address
    }
}
