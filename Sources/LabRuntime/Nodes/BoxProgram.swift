internal import Appliances
internal import Dataplane
internal import EventLoop
internal import LabEvents
internal import LabTime
internal import Netlink
internal import PacketIO
internal import SystemPackage
internal import Wire

/// A box: its appliance on the links of its wire namespace. Subclasses run the host side.
class BoxProgram<Box: Appliance & ~Copyable>: NodeProgram {
    let process: NodeProcess
    private let ports: [String]
    private var runner: BoxRunner<Box>!
    private var carrier: CarrierWatch!
    private var routes: RouteWatch?
    /// Ports whose carrier is known to be lost. An impairment link's ports are ends of a cable: nil.
    private var portsDown: Set<String>?

    /// Opens the packet socket and the carrier's monitor in the wire namespace; the process stays on the host side.
    /// - Parameters:
    ///   - hasHostSide: whether each port has a near end of the veth pair to the box's own kernel
    ///   - hostOnly: further interfaces of the wire namespace, which lead to the node's own kernel
    init(
        _ box: consuming Box, ports: [String], hasHostSide: Bool = true, hostOnly: [String] = [],
        in process: NodeProcess
    ) throws {
        self.process = process
        self.ports = ports
        let boxPorts = hasHostSide ? PortInterfaces.all(ports) : ports.map { PortInterfaces(wire: $0, host: nil) }
        if hasHostSide {
            routes = try RouteWatch(in: process)
            portsDown = []
        }
        let allPorts = boxPorts + hostOnly.map { PortInterfaces(wire: $0, host: nil) }
        let home = try NetworkNamespace.current()
        let wire = NetworkNamespace(takingOver: NodeProcess.wireNamespaceDescriptor)
        try wire.enter()
        // Before the packet ring, because descriptors are closed in their order: while the ring closes, the grace
        // period passes for which a netlink socket keeps its namespace.
        carrier = try CarrierWatch()
        runner = try BoxRunner(box, ports: allPorts, on: process.loop) { [unowned self] events in
            for event in events { handle(event) }
        }
        try home.enter()
        try process.loop.watch(carrier.monitor.fileDescriptor) { [unowned self] _ in readCarrier(of: ports) }
    }

    func start() throws {
        try runner.start()
        routes?.onChange = { [unowned self] in _ = perform(.routes($0)) }
        // A box that comes up with an unplugged cable gets no notification.
        carrier.lookAgain(for: ports) { [unowned self] in carrierChanged($0, isUp: $1) }
    }

    func perform(_ command: ApplianceCommand) -> ApplianceReply { runner.perform(command) }

    func startMonitors(then: @escaping () -> Void) { then() }

    var counters: [CounterReading] { runner.counters }

    /// Called for each event of the appliance, after the frames of the same call were sent.
    func handle(_ event: ApplianceEvent) {
        process.event(event.kind, at: event.at, details: event.details)
        if event.kind == .ready { process.report(.ready) }
    }

    private func readCarrier(of ports: [String]) {
        carrier.read(for: ports) { [unowned self] in carrierChanged($0, isUp: $1) }
    }

    /// The cause before what the box makes of it.
    private func carrierChanged(_ port: String, isUp: Bool) {
        let isChange = isUp ? portsDown?.remove(port) != nil : portsDown?.insert(port).inserted ?? false
        if isChange {
            process.kernelEvents.report(
                isUp ? .carrierUp : .carrierDown, at: process.loop.now, [.interface: port])
        }
        runner.carrierChanged(port: port, isUp: isUp)
    }
}

/// A class can hold a noncopyable value only as a stored property.
final class CarrierWatch {
    var monitor: LinkMonitor
    private var socket: NetlinkSocket

    /// Call in the wire namespace.
    init() throws(NetlinkError) {
        monitor = try LinkMonitor()
        socket = try NetlinkSocket()
    }

    /// Reports every change that is waiting.
    func read(for ports: [String], report: (String, Bool) -> Void) {
        while true {
            do {
                guard let change = try monitor.next() else { return }
                if case .present(let link) = change, ports.contains(link.name) { report(link.name, link.hasCarrier) }
            } catch {
                // Changes came faster than they were read: what counts is how things are now.
                guard error.kind == .notificationsLost else { return }
                lookAgain(for: ports, report: report)
            }
        }
    }

    /// Reports the present state.
    func lookAgain(for ports: [String], report: (String, Bool) -> Void) {
        for link in (try? socket.links()) ?? [] where ports.contains(link.name) { report(link.name, link.hasCarrier) }
    }
}
