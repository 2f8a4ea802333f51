internal import EventLoop
internal import LabTime
internal import Netlink
internal import Topology

/// Follows the addresses, neighbours and carriers of a node's kernel: every change is an event of the run.
///
/// An event has the time at which its notification is read: notifications have none of their own. The node's loop reads
/// them at once, unless it is busy or the node hangs.
final class KernelWatch {
    /// What there is when notifications were lost.
    private struct Lists: Sendable {
        var links: [Link]
        var addresses: [InterfaceAddress]
        var neighbors: [Neighbor]

        static func read() -> Result<Lists, NetlinkError> {
            do throws(NetlinkError) {
                var socket = try NetlinkSocket()
                return .success(
                    Lists(
                        links: try socket.links(), addresses: try socket.addresses(),
                        neighbors: try socket.neighbors()))
            } catch {
                return .failure(error)
            }
        }
    }

    /// Notifications that are read before the loop serves something else.
    private static let mostAtOnce = 256
    /// After an overrun, until everything is listed anew: a flood must not cause one list after the other.
    private static let pause = Duration.milliseconds(50)

    private let process: NodeProcess
    private var monitor: KernelMonitor
    private var state: KernelState
    /// When nothing was waiting to be read last: whatever is lost was lost later.
    private var emptyAt: Instant
    private var lists: Mailbox<Result<Lists, NetlinkError>>!

    /// Opens its socket in the calling thread's network namespace.
    init(of node: Node, in process: NodeProcess) throws {
        self.process = process
        // Before the lists: a change in between is seen twice rather than never.
        monitor = try KernelMonitor()
        var socket = try NetlinkSocket()
        state = KernelState(
            links: try socket.links(), addresses: try socket.addresses(), neighbors: [],
            reportsCarriers: !node.hasWireSide)
        emptyAt = process.loop.now
        lists = try Mailbox(on: process.loop) { [unowned self] in received($0) }
    }

    /// Reads what came while the lab was built, too.
    func start() {
        watch()
        read()
    }

    private func watch() {
        do {
            try process.loop.watch(monitor.fileDescriptor) { [unowned self] _ in read() }
        } catch {
            process.fail("its kernel cannot be watched: \(error)")
        }
    }

    private func read() {
        for _ in 0..<Self.mostAtOnce {
            do throws(NetlinkError) {
                guard let change = try monitor.next() else {
                    emptyAt = process.loop.now
                    return
                }
                report(state.apply(change))
            } catch {
                guard error.kind == .notificationsLost else {
                    return process.fail("its kernel cannot be watched: \(error)")
                }
                return loseNotifications()
            }
        }
        // What was read of a datagram does not make the socket readable again.
        process.loop.serveAgain(monitor.fileDescriptor)
    }

    private func report(_ event: KernelState.Event?) {
        guard let event else { return }
        process.kernelEvents.report(event.kind, at: process.loop.now, event.details)
    }

    // MARK: Overruns

    /// Notifications that are waiting are read after the lists, which are newer: what they report is then passed over,
    /// or reported late.
    private func loseNotifications() {
        let now = process.loop.now
        // What the lists show is reported later than it happened.
        process.kernelEvents.reportLoss(
            of: KernelState.kinds, from: emptyAt, to: now + Self.pause * 2, reason: "overrun")
        process.loop.unwatch(monitor.fileDescriptor)
        process.loop.schedule(after: Self.pause) { [unowned self] in
            // On a thread of its own: the kernel may keep a reader waiting.
            NamespaceThread.start { [lists] in lists!.send(Lists.read()) }
        }
    }

    private func received(_ result: Result<Lists, NetlinkError>) {
        switch result {
        case .success(let read):
            let events = state.resync(links: read.links, addresses: read.addresses, neighbors: read.neighbors)
            for event in events { report(event) }
            watch()
        case .failure(let error): process.fail("its kernel's network cannot be listed: \(error)")
        }
    }
}
