internal import CLinux
internal import CNetlink
internal import Glibc
internal import SystemPackage

/// Reports that the IPv4 routes of a namespace have changed, from the moment it is opened.
///
/// Only that they have: what counts is how they are then, and a list that is read anew cannot miss a change that the
/// kernel's buffer was too small for.
///
/// Equals `ip monitor route`
public struct RouteMonitor: ~Copyable {
    private let socket: NetlinkSocket

    /// Watches the namespace of the calling thread.
    public init() throws(NetlinkError) {
        let opened = try NetlinkSocket.open(flags: Int32(SOCK_NONBLOCK.rawValue), groups: UInt32(RTMGRP_IPV4_ROUTE))
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
