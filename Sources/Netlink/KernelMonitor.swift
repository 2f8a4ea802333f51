internal import CNetlink
internal import Glibc
internal import SystemPackage

/// What changed in the network stack of a namespace.
public enum KernelChange: Hashable, Sendable {
    case link(Link)
    case linkRemoved(Link)
    case address(InterfaceAddress)
    case addressRemoved(InterfaceAddress)
    case neighbor(Neighbor)
    case neighborRemoved(Neighbor)
}

/// Reports changes of links, addresses and neighbours of one namespace, from the moment it is opened.
///
/// Routes have a monitor of their own, so that a routing daemon's flood loses nothing here.
///
/// Equals `ip monitor link address neigh`
public struct KernelMonitor: ~Copyable {
    /// Bytes of the receive buffer that are asked for; the kernel gives what `net.core.rmem_max` allows.
    private static let bufferSize: Int32 = 4 << 20

    private let socket: NetlinkSocket
    private var waiting: [KernelChange] = []
    private var first = 0

    /// Watches the namespace of the calling thread.
    public init() throws(NetlinkError) {
        let groups = RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR
        let opened = try NetlinkSocket.open(flags: Int32(SOCK_NONBLOCK.rawValue), groups: UInt32(groups))
        socket = NetlinkSocket(opened, options: [])
        var size = Self.bufferSize
        _ = setsockopt(
            socket.fileDescriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Readable when `next` has something to return.
    public var fileDescriptor: Int32 { socket.fileDescriptor }

    /// The next change, or nil where none is waiting.
    /// - Throws: `.notificationsLost` where the kernel could not deliver all; what comes after it is complete again.
    public mutating func next() throws(NetlinkError) -> KernelChange? {
        let verb = "watch the kernel's network"
        while first == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            first = 0
            let replies: Replies
            do { replies = try socket.receive(verb: verb) } catch {
                switch error.errno {
                case Errno.wouldBlock?: return nil
                case Errno.noBufferSpace?: throw NetlinkError(.notificationsLost, verb: verb)
                default: throw error
                }
            }
            for reply in replies { if let change = KernelChange(reply) { waiting.append(change) } }
        }
        defer { first += 1 }
        return waiting[first]
    }
}

extension KernelChange {
    init?(_ reply: Reply) {
        switch reply.type {
        case Int32(RTM_NEWLINK), Int32(RTM_DELLINK):
            // A bridge reports its ports once more, with the family AF_BRIDGE.
            guard reply.structure(ifinfomsg.self)?.ifi_family == UInt8(AF_UNSPEC), let link = Link(reply) else {
                return nil
            }
            self = reply.type == Int32(RTM_NEWLINK) ? .link(link) : .linkRemoved(link)
        case Int32(RTM_NEWADDR), Int32(RTM_DELADDR):
            guard let address = InterfaceAddress(reply) else { return nil }
            self = reply.type == Int32(RTM_NEWADDR) ? .address(address) : .addressRemoved(address)
        case Int32(RTM_NEWNEIGH), Int32(RTM_DELNEIGH):
            guard let neighbor = Neighbor(reply) else { return nil }
            self = reply.type == Int32(RTM_NEWNEIGH) ? .neighbor(neighbor) : .neighborRemoved(neighbor)
        default: return nil
        }
    }
}
