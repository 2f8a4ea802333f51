internal import Appliances
internal import Configuration
internal import LabEvents
internal import Measurement
internal import Topology
internal import Traffic

/// A host whose links end on a wire side, where tunnels are unwrapped; the rest is a host as any other.
final class TunnelledHostProgram: NodeProgram {
    private let host: HostProgram
    private let tunnel: BoxProgram<TunnelEndpoint>

    init(
        _ configuration: HostConfiguration, _ endpoint: TunnelEndpointConfiguration, of node: Node,
        in process: NodeProcess
    ) throws {
        host = try HostProgram(configuration, of: node, watchesRoutes: false, in: process)
        tunnel = try BoxProgram(
            TunnelEndpoint(endpoint), ports: endpoint.ports.map(\.name), hostOnly: [MemberTunnel.interface], in: process
        )
    }

    /// Ready when the tunnel is.
    func start() throws { try tunnel.start() }
    func perform(_ command: ApplianceCommand) -> ApplianceReply { tunnel.perform(command) }
    func startTraffic(_ program: TrafficProgram, number: Int, commands: (any CommandStarter)?) throws {
        try host.startTraffic(program, number: number, commands: commands)
    }
    func finishTraffic(_ name: String) { host.finishTraffic(name) }
    var counters: [CounterReading] { tunnel.counters }
}
