internal import Appliances
internal import EventLoop
internal import Glibc
internal import LabTime
internal import Netlink
internal import PacketIO
internal import SystemPackage

/// A box: its appliance on the links of its wire namespace. What runs on the host side is its subclasses' business.
class BoxProgram<Box: Appliance & ~Copyable>: NodeProgram {
    let process: NodeProcess
    private var runner: BoxRunner<Box>!
    private var carrier: LinkMonitor!

    /// Opens the packet socket and the carrier's monitor in the wire namespace; the process stays on the host side.
    init(_ box: consuming Box, ports: [String], in process: NodeProcess) throws {
        self.process = process
        let boxPorts = ports.enumerated().map { BoxPort(wire: $1, host: "host\($0)") }
        let home = try NetworkNamespace.current()
        let wire = NetworkNamespace(takingOver: NodeProcess.wireNamespaceDescriptor)
        try wire.enter()
        runner = try BoxRunner(box, ports: boxPorts, on: process.loop) { [unowned self] events in
            for event in events { heard(event) }
        }
        carrier = try LinkMonitor()
        try home.enter()
        try process.loop.watch(carrier.fileDescriptor) { [unowned self] _ in readCarrier(of: ports) }
    }

    func start() throws { try runner.start() }

    func perform(_ command: ApplianceCommand) -> ApplianceReply { runner.perform(command) }

    var counters: [CounterReading] { runner.counters }

    /// Called for each event of the appliance, after the frames of the same call were sent.
    func heard(_ event: ApplianceEvent) {
        process.event(event.kind, at: event.at, details: event.details)
        if event.kind == "ready" { process.report(.ready) }
    }

    private func readCarrier(of ports: [String]) {
        while let change = try? carrier.next() {
            if case .changed(let link) = change, ports.contains(link.name) {
                runner.carrierChanged(port: link.name, isUp: link.hasCarrier)
            }
        }
    }
}

final class FirewallProgram: BoxProgram<Firewall> {
    init(_ configuration: FirewallConfiguration, in process: NodeProcess) throws {
        try super.init(Firewall(configuration), ports: configuration.ports.map(\.name), in: process)
    }
}
