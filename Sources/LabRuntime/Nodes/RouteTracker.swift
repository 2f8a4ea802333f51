internal import Configuration
internal import CLinux
internal import EventLoop
internal import Glibc
internal import LabEvents
internal import LabTime
internal import Netlink
internal import Redundancy
internal import SystemPackage
internal import Topology
internal import Wire

/// Moves one static route of a kernel router to the first gateway that answers echo requests, as routers do that track
/// their static routes.
///
/// Echo requests leave at a fixed interval from one raw ICMP socket; `GatewayTracking` decides. Routes are changed on a
/// thread of their own: the kernel may block a change as long as other processes change routes.
final class RouteTracker {
    private let route: TrackedRoute
    private let process: NodeProcess
    private let descriptor: Int32
    /// Distinguishes this tracker's answers from others'.
    private let identifier: UInt16
    /// In the order of the choices; the lab file takes IPv4 alone.
    private let gateways: [IPv4Address]
    /// The interface to each gateway.
    private let interfaces: [String]
    private var carrier: CarrierWatch
    private var tracking: GatewayTracking
    private let mover: RouteMover
    private var used = 0
    private var nextQuestion: Instant

    /// - Parameter number: distinguishes the trackers of one node
    init(_ route: TrackedRoute, number: Int, of node: Node, in process: NodeProcess) throws {
        self.route = route
        self.process = process
        identifier = UInt16(truncatingIfNeeded: 0xf100 + number)
        gateways = route.choices.compactMap(\.gateway.ipv4)
        interfaces = gateways.map { gateway in
            node.interfaces.first { $0.address?.network.contains(gateway) == true }?.name ?? ""
        }
        tracking = GatewayTracking(count: gateways.count, misses: route.misses)
        carrier = try CarrierWatch()
        mover = try RouteMover(on: process.loop)
        nextQuestion = process.loop.now
        descriptor = cl_icmp_socket()
        guard descriptor >= 0 else { throw Errno(rawValue: -descriptor) }
        try process.loop.watch(descriptor) { [unowned self] _ in receive() }
        try process.loop.watch(carrier.monitor.fileDescriptor) { [unowned self] _ in
            carrier.read(for: interfaces) { [unowned self] in carrierChanged($0, isUp: $1) }
        }
    }

    func start() {
        nextQuestion = process.loop.now
        ask()
    }

    private func ask() {
        for (place, sequence) in tracking.ask().enumerated() { send(sequence, to: gateways[place]) }
        follow()
        // From the planned instant, not from now: a late turn does not slow the cadence.
        nextQuestion = max(nextQuestion + route.interval, process.loop.now)
        process.loop.schedule(at: nextQuestion) { [unowned self] in ask() }
    }

    private func send(_ sequence: UInt16, to gateway: IPv4Address) {
        withUnsafeTemporaryAllocation(byteCount: ICMPv4Header.length, alignment: 8) { message in
            _ = ICMPv4Header.echoRequest(identifier: identifier, sequence: sequence).emit(
                into: message, payloadLength: 0)
            // What cannot be sent is not answered either: a miss.
            _ = cl_icmp_send(descriptor, gateway.rawValue.bigEndian, message.baseAddress, message.count)
        }
    }

    private func receive() {
        withUnsafeTemporaryAllocation(byteCount: 2048, alignment: 8) { buffer in
            while true {
                let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                guard count > 0 else { return }
                let packet = UnsafeRawBufferPointer(start: buffer.baseAddress, count: count)
                guard let ip = try? IPv4View(packet), let icmp = try? ICMPv4View(ip.payload) else { continue }
                let header = icmp.header
                guard header.type == .echoReply, header.identifier == identifier else { continue }
                let source = ip.source
                if let place = gateways.firstIndex(of: source) {
                    tracking.answered(place, sequence: header.sequence)
                }
            }
        }
    }

    private func carrierChanged(_ name: String, isUp: Bool) {
        for (place, interface) in interfaces.enumerated() where interface == name {
            tracking.carrier(of: place, isUp: isUp)
        }
        follow()
    }

    private func follow() {
        guard tracking.current != used else { return }
        used = tracking.current
        let choice = route.choices[used]
        mover.replace(Route(choice)) { [unowned self] error in
            if let error {
                return process.fail(
                    "the route to \(choice.destination) could not be moved to \(choice.gateway): \(error)")
            }
            process.event(
                .routeMoved, at: process.loop.now,
                details: [.destination: "\(choice.destination)", .gateway: "\(choice.gateway)"])
        }
    }
}

/// Changes routes one after the other on a thread of its own.
private final class RouteMover {
    private let thread: LoopThread
    private let socket: Socket
    private let answers: Mailbox<(number: Int, error: NetlinkError?)>
    private let waiting: Waiting

    /// Which changes have not been answered yet. Used on the node's loop alone.
    private final class Waiting {
        var next = 0
        var handlers: [Int: (NetlinkError?) -> Void] = [:]
    }

    /// Used on the mover's thread alone.
    private final class Socket: @unchecked Sendable {
        private var socket: NetlinkSocket

        init() throws(NetlinkError) { socket = try NetlinkSocket() }

        func replace(_ route: Route) -> NetlinkError? {
            do throws(NetlinkError) {
                try socket.perform(.replaceRoute(route))
                return nil
            } catch {
                return error
            }
        }
    }

    /// - Parameter loop: the node's, on which answers arrive
    init(on loop: EventLoop) throws {
        socket = try Socket()
        let waiting = Waiting()
        self.waiting = waiting
        answers = try Mailbox(on: loop) { number, error in waiting.handlers.removeValue(forKey: number)?(error) }
        thread = try LoopThread(name: "routes")
    }

    /// - Parameter then: called on the node's loop when the kernel has answered
    func replace(_ route: Route, then: @escaping (NetlinkError?) -> Void) {
        waiting.next += 1
        let number = waiting.next
        waiting.handlers[number] = then
        thread.send { [socket, answers] _ in answers.send((number, socket.replace(route))) }
    }
}
