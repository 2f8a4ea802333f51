internal import CLinux
internal import CNetlink
internal import Glibc
internal import SystemPackage

/// What happened to a link.
public enum LinkEvent: Hashable, Sendable {
    /// It appeared, or changed: up or down, carrier, name, bridge.
    case present(Link)
    /// It is gone from this namespace: deleted, moved away, or taken down with a namespace.
    case removed(Link)
}

/// Reports changes of the links of one namespace, from the moment it is opened.
///
/// Equals `ip monitor link`
public struct LinkMonitor: ~Copyable {
    private let socket: NetlinkSocket
    private var waiting: [LinkEvent] = []

    /// Watches the namespace of the calling thread.
    public init() throws(NetlinkError) {
        let opened = try NetlinkSocket.open(flags: Int32(SOCK_NONBLOCK.rawValue), groups: UInt32(RTMGRP_LINK))
        socket = NetlinkSocket(opened, options: [])
    }

    /// Watches another namespace; the calling thread is back in its own when this returns.
    public init(in namespace: Int32) throws(NetlinkError) {
        let opened = try NetlinkSocket.open(
            in: namespace, flags: Int32(SOCK_NONBLOCK.rawValue), groups: UInt32(RTMGRP_LINK))
        socket = NetlinkSocket(opened, options: [])
    }

    /// Readable when `next` has something to return.
    public var fileDescriptor: Int32 { socket.fileDescriptor }

    /// The next event, or nil where none is waiting.
    /// - Throws: `.notificationsLost` where the kernel could not deliver all; what comes after it is complete again.
    public mutating func next() throws(NetlinkError) -> LinkEvent? {
        let verb = "watch links"
        while waiting.isEmpty {
            let replies: Replies
            do { replies = try socket.receive(verb: verb) } catch {
                switch error.errno {
                case Errno.wouldBlock?: return nil
                case Errno.noBufferSpace?: throw NetlinkError(.notificationsLost, verb: verb)
                default: throw error
                }
            }
            for reply in replies {
                guard let link = Link(reply) else { continue }
                if reply.type == Int32(RTM_NEWLINK) { waiting.append(.present(link)) }
                // A port that leaves its bridge is announced as a removal too, of the family AF_BRIDGE.
                if reply.type == Int32(RTM_DELLINK), reply.structure(ifinfomsg.self)?.ifi_family == UInt8(AF_UNSPEC) {
                    waiting.append(.removed(link))
                }
            }
        }
        return waiting.removeFirst()
    }

    /// Waits until no link has that index. The removal may be past already.
    /// Events of other links that come meanwhile are discarded.
    public mutating func waitForRemoval(of index: Int32, timeout: Duration) throws(NetlinkError) {
        let verb = "see link #\(index) removed"
        let deadline = ContinuousClock.now + timeout
        while cl_interface_exists(fileDescriptor, index) == 0 {
            let left = deadline - .now
            guard left > .zero else { throw NetlinkError(.timedOut, verb: verb) }
            var poll = pollfd(fd: fileDescriptor, events: Int16(POLLIN), revents: 0)
            // A removal is looked for anew at least every 100 ms, should its notification have been lost.
            let milliseconds = min(
                100, left.components.seconds * 1000 + 1 + left.components.attoseconds / 1_000_000_000_000_000)
            _ = Glibc.poll(&poll, 1, Int32(milliseconds))
            while true {
                do { guard try next() != nil else { break } } catch {
                    guard error.kind == .notificationsLost else { throw error }
                }
            }
        }
    }
}
