internal import Configuration
internal import EventLoop
internal import Glibc
internal import LabEvents
internal import LabTime
internal import Netlink
internal import SystemPackage
internal import Wire

/// Follows the routes of a node's kernel, to which routing daemons add: a box's dataplane uses them, and every change
/// is an event of the run.
///
/// They are listed on a thread of its own, because the kernel may keep a reader waiting. It begins with the first
/// change. What happens between two lists is one change: a flood of routes costs a fifth of a processor at most.
final class RouteWatch {
    fileprivate enum Reading: Sendable {
        /// - Parameters:
        ///   - changes: as events
        ///   - gateways: nil where a box's routes are as before
        ///   - until: when the next list is expected to be read
        case changed(
            [(kind: EventKind, details: EventDetails)], [EventKind: Int], [RouteConfiguration]?, at: Instant,
            until: Instant)
        case failed(NetlinkError)
    }

    private let process: NodeProcess
    private let routes: WatchedRoutes
    private var thread: LoopThread?
    private var readings: Mailbox<Reading>!
    /// What a box does with those that have IPv4 gateways.
    var onChange: ([RouteConfiguration]) -> Void = { _ in }

    /// Opens its sockets in the calling thread's network namespace.
    init(in process: NodeProcess) throws {
        self.process = process
        routes = try WatchedRoutes()
        readings = try Mailbox(on: process.loop) { [unowned self] in received($0) }
        try process.loop.watch(routes.descriptor) { [unowned self] _ in begin() }
    }

    private func begin() {
        process.loop.unwatch(routes.descriptor)
        do {
            let thread = try LoopThread(name: "routes")
            self.thread = thread
            thread.send { [routes, readings] loop in routes.follow(on: loop) { readings!.send($0) } }
        } catch {
            process.fail("its routes cannot be watched: \(error)")
        }
    }

    private func received(_ reading: Reading) {
        switch reading {
        case .changed(let changes, let leftOut, let gateways, at: let instant, until: let next):
            if let gateways { onChange(gateways) }
            for change in changes { process.kernelEvents.report(change.kind, at: instant, change.details) }
            for (kind, number) in leftOut { process.kernelEvents.leaveOut(number, kind, at: instant, until: next) }
        case .failed(let error): process.fail("its routes cannot be read: \(error)")
        }
    }
}

/// A class can hold a noncopyable value only as a stored property. Used by its maker first, then on the watch's thread
/// alone.
private final class WatchedRoutes: @unchecked Sendable {
    /// After a reading, in lengths of it.
    private static let pause = 4
    private static let longestPause = Duration.seconds(1)

    private let monitor: RouteMonitor
    private var socket: NetlinkSocket
    private var known: [PreferredRoute]
    private var gateways: [RouteConfiguration]

    init() throws(NetlinkError) {
        monitor = try RouteMonitor()
        socket = try NetlinkSocket()
        known = try socket.preferredRoutes()
        gateways = known.gatewayRoutes
    }

    var descriptor: Int32 { monitor.fileDescriptor }

    func follow(on loop: EventLoop, _ report: @escaping (RouteWatch.Reading) -> Void) {
        do throws(Errno) {
            try loop.watch(descriptor) { [self] _ in
                let noticed = loop.now
                do throws(NetlinkError) {
                    try monitor.drain()
                    if let reading = try read(noticed, on: loop) { report(reading) }
                } catch {
                    report(.failed(error))
                }
                loop.unwatch(descriptor)
                let pause = min((loop.now - noticed) * Self.pause, Self.longestPause)
                loop.schedule(after: pause) { [self] in follow(on: loop, report) }
            }
        } catch {
            report(.failed(NetlinkError(.cannotReceive, verb: "watch routes", errno: error)))
        }
    }

    private func read(_ instant: Instant, on loop: EventLoop) throws(NetlinkError) -> RouteWatch.Reading? {
        let new = try socket.preferredRoutes()
        let difference = RouteChanges(from: known, to: new)
        guard !difference.isEmpty else { return nil }
        known = new
        let newGateways = new.gatewayRoutes
        let isSame = newGateways == gateways
        gateways = newGateways
        let changes = difference.changes.map { change -> (kind: EventKind, details: EventDetails) in
            let hops = change.nextHops.map(Self.label).joined(separator: " ")
            return (change.kind, [.destination: "\(change.destination)", .gateways: hops])
        }
        let now = loop.now
        let next = now + min((now - instant) * Self.pause, Self.longestPause) + (now - instant) * 2
        return .changed(changes, difference.leftOut, isSame ? nil : newGateways, at: instant, until: next)
    }

    private static func label(_ hop: PreferredRoute.NextHop) -> String {
        switch hop {
        case .gateway(let address): return "\(address)"
        case .interface(let index):
            var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
            return if_indextoname(UInt32(bitPattern: index), &name) == nil
                ? "#\(index)" : String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }
}

extension [PreferredRoute] {
    /// The IPv4 routes that have gateways; a next hop with a weight is listed that many times.
    var gatewayRoutes: [RouteConfiguration] {
        flatMap { route -> [RouteConfiguration] in
            guard case .ipv4(let destination) = route.destination else { return [] }
            return route.nextHops.compactMap { hop in
                guard case .gateway(.ipv4(let gateway)) = hop else { return nil }
                return RouteConfiguration(destination: destination, gateway: gateway)
            }
        }
    }
}
