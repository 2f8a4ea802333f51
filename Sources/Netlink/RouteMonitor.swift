internal import CLinux
internal import CNetlink
internal import Glibc
internal import SystemPackage

/// Reports that the routes of a namespace may have changed, from the moment it is opened.
///
/// Only that they may have: what counts is how they are then, and a list that is read anew cannot miss a change that
/// the kernel's buffer was too small for. Links and addresses count too: with an interface or an address that goes, IPv4
/// routes go without a notification of their own. Source: net/ipv4/fib_trie.c, fib_table_flush
///
/// Equals `ip monitor link address route`
public struct RouteMonitor: ~Copyable {
    private let socket: NetlinkSocket

    /// Watches the namespace of the calling thread.
    public init() throws(NetlinkError) {
        let groups = RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR
        let opened = try NetlinkSocket.open(flags: Int32(SOCK_NONBLOCK.rawValue), groups: UInt32(groups))
        socket = NetlinkSocket(opened, options: [])
    }

    /// Readable when something has changed.
    public var fileDescriptor: Int32 { socket.fileDescriptor }

    /// Takes everything that is waiting, so that the descriptor is readable only after the next change.
    public func drain() throws(NetlinkError) {
        let verb = "watch routes"
        while true {
            do { _ = try socket.receive(verb: verb) } catch {
                switch error.errno {
                case Errno.wouldBlock?: return
                case Errno.noBufferSpace?: continue
                default: throw error
                }
            }
        }
    }
}
