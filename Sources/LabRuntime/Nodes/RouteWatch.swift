internal import Configuration
internal import EventLoop
internal import LabEvents
internal import LabTime
internal import Netlink
internal import SystemPackage
internal import Wire

/// Follows the routes of a node's kernel, to which routing daemons add: a box's dataplane uses them, and every
/// change is an event of the run. They are read on a thread of its own, because the kernel may keep a reader waiting.
final class RouteWatch {
    private enum Reading: Sendable {
        case routes([RouteConfiguration])
        case failed(NetlinkError)
    }

    private let thread: LoopThread
    private let process: NodeProcess
    private var routes: [RouteConfiguration]
    private var readings: Mailbox<Reading>!
    /// What a box does with them.
    var onChange: ([RouteConfiguration]) -> Void = { _ in }

    /// Opens its sockets in the calling thread's network namespace.
    init(in process: NodeProcess) throws {
        self.process = process
        let sockets = try Sockets()
        routes = try sockets.routes()
        thread = try LoopThread(name: "routes")
        readings = try Mailbox(on: process.loop) { [unowned self] in received($0) }
        let readings: Mailbox<Reading> = readings
        let isWatched = thread.perform { loop -> Bool in
            (try? loop.watch(sockets.monitor.fileDescriptor) { _ in
                do throws(NetlinkError) {
                    try sockets.monitor.drain()
                    readings.send(.routes(try sockets.routes()))
                } catch {
                    readings.send(.failed(error))
                }
            }) != nil
        }
        guard isWatched else { throw LabFailure(.lab, "its routes cannot be watched") }
    }

    private func received(_ reading: Reading) {
        let new: [RouteConfiguration]
        switch reading {
        case .routes(let read): new = read
        case .failed(let error): return process.fail("its routes cannot be read: \(error)")
        }
        guard new != routes else { return }
        let (before, after) = (Self.gateways(routes), Self.gateways(new))
        routes = new
        onChange(new)
        let now = process.loop.now
        for destination in Set(before.keys).union(after.keys).sorted(by: { "\($0)" < "\($1)" }) {
            let (old, new) = (before[destination], after[destination])
            guard old != new else { continue }
            let kind: EventKind = old == nil ? .routeAdded : new == nil ? .routeRemoved : .routeChanged
            let words = (new ?? old ?? []).map(\.description).joined(separator: " ")
            process.event(kind, at: now, details: [.destination: "\(destination)", .gateways: words])
        }
    }

    private static func gateways(_ routes: [RouteConfiguration]) -> [IPNetwork: [IPAddress]] {
        Dictionary(grouping: routes, by: \.destination).mapValues { $0.map(\.gateway) }
    }
}

/// A class can hold a noncopyable value only as a stored property. Used by its maker first, then on the
/// watch's thread alone.
private final class Sockets: @unchecked Sendable {
    let monitor: RouteMonitor
    private var socket: NetlinkSocket

    init() throws(NetlinkError) {
        monitor = try RouteMonitor()
        socket = try NetlinkSocket()
    }

    func routes() throws(NetlinkError) -> [RouteConfiguration] { try socket.gatewayRoutes() }
}

extension NetlinkSocket {
    /// The IPv4 routes of the main table that have gateways, in order; of several to one destination those with the
    /// least metric. A next hop with a weight is listed that many times.
    mutating func gatewayRoutes() throws(NetlinkError) -> [RouteConfiguration] {
        var best: [IPv4Network: (metric: UInt32, gateways: [IPv4Address])] = [:]
        for route in try routes() {
            guard case .ipv4(let address) = route.destination else { continue }
            let destination = IPv4InterfaceAddress(address, prefixLength: route.prefixLength).network
            let gateways = (route.gateway.map { [$0] } ?? route.gateways).compactMap { gateway -> IPv4Address? in
                if case .ipv4(let address) = gateway { address } else { nil }
            }
            let metric = route.metric ?? 0
            if gateways.isEmpty || best[destination].map({ $0.metric <= metric }) ?? false { continue }
            best[destination] = (metric, gateways.sorted())
        }
        return best.sorted { ($0.key.address, $0.key.prefixLength) < ($1.key.address, $1.key.prefixLength) }
            .flatMap { destination, way in
                way.gateways.map { RouteConfiguration(destination: destination, gateway: $0) }
            }
    }
}
