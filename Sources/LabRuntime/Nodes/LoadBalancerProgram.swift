internal import Appliances
internal import Configuration
internal import EventLoop
internal import HostSide
internal import LabEvents
internal import Topology
internal import Wire

/// A load balancer: its dataplane on the wire, its proxies and monitors on the host side.
final class LoadBalancerProgram: BoxProgram<LoadBalancer> {
    private var hostSide: HostSide!
    private let services: [VirtualServiceConfiguration]
    private var firstRound: Mailbox<Void>!
    private var onFirstRound: () -> Void = {}

    init(_ configuration: LoadBalancerConfiguration, in process: NodeProcess) throws {
        services = configuration.services
        try super.init(LoadBalancer(configuration), ports: configuration.ports.map(\.name), in: process)
        let mailbox = try Mailbox<MemberChange>(on: process.loop) { [unowned self] change in memberChanged(change) }
        firstRound = try Mailbox<Void>(on: process.loop) { [unowned self] in onFirstRound() }
        // The process is back on the host side: the thread that is made here stays there.
        let access = try AccessLog(configuration, in: process)
        hostSide = HostSide(
            configuration, accessLog: access?.file, onAccess: { access?.append($0) },
            onTLSFailure: { access?.append($0) },
            onMemberChange: { mailbox.send($0) })
    }

    override func start() throws {
        // Ready means that the proxies listen; what they send meanwhile waits in the ring.
        try hostSide.start()
        try super.start()
    }

    override func startMonitors(then: @escaping () -> Void) {
        guard let mailbox = firstRound else { return }
        onFirstRound = then
        hostSide.startMonitors { mailbox.send(()) }
    }

    /// Connections of proxies and HTTP services, on both of their sides, are the host side's kernel's.
    override func perform(_ command: ApplianceCommand) -> ApplianceReply {
        let reply = super.perform(command)
        guard case .connections(let list) = reply else { return reply }
        let ended = services.filter(\.profile.endsAtHostSide)
        let own = KernelConnections.read { address, port in
            ended.contains { $0.address == .ipv4(address) && $0.port == port }
        }
        return .connections(list + ConnectionList(connections: own, total: own.count))
    }

    override var counters: [CounterReading] { super.counters + hostSide.counters }

    private func memberChanged(_ change: MemberChange) {
        _ = perform(.member(service: change.service, member: change.member, isUp: change.isUp))
    }
}

extension LoadBalancerConfiguration: ProcessRole {
    func program(of node: Node, in process: NodeProcess) throws -> any NodeProgram {
        try LoadBalancerProgram(self, in: process)
    }
}
