internal import Appliances
internal import Configuration
internal import EventLoop
internal import LabEvents
internal import LabTime
internal import Measurement
internal import Topology
internal import Traffic
internal import Wire

/// A client, backend or router: the kernel's own TCP/IP, with traffic programs on its sockets.
final class HostProgram: NodeProgram {
    private let process: NodeProcess
    private let servers: [TrafficServer]
    private var clients: [String: TrafficClient] = [:]
    private let ports = SourcePorts()
    private let trackers: [RouteTracker]
    /// nil where the box of its tunnel has one.
    private let routes: RouteWatch?

    /// Servers listen from here on: they send nothing before they are asked.
    init(
        _ configuration: HostConfiguration, of node: Node, watchesRoutes: Bool = true, in process: NodeProcess
    ) throws {
        self.process = process
        routes = try watchesRoutes ? RouteWatch(in: process) : nil
        let address: IPAddress = node.hasIPv6 ? .ipv6(.any) : .ipv4(.any)
        servers = try configuration.servers.map {
            try TrafficServer($0, nodeName: node.name, at: address, on: process.loop)
        }
        trackers = try configuration.trackedRoutes.enumerated().map {
            try RouteTracker($1, number: $0, of: node, in: process)
        }
    }

    func start() {
        for tracker in trackers { tracker.start() }
        process.report(.ready)
    }

    func startTraffic(_ program: TrafficProgram, number: Int, commands: (any CommandStarter)?) throws {
        let client = TrafficClient(
            program, number: UInt32(number), on: process.loop, ports: ports, commands: commands
        ) {
            [unowned self] event in
            switch event {
            case .ready: process.report(.trafficAnswered(name: program.name, at: .now()))
            case .finished(let result): finished(result)
            case .flowEnded: break
            }
        }
        clients[program.name] = client
        client.start()
    }

    var counters: [CounterReading] { KernelCounters.read() }

    func finishTraffic(_ name: String) { clients[name]?.finish() }

    private func finished(_ result: TrafficResult) {
        clients[result.program.name] = nil
        process.report(.traffic(result))
    }
}

extension HostConfiguration: ProcessRole {
    func program(of node: Node, in process: NodeProcess) throws -> any NodeProgram {
        guard let tunnel = node.tunnel, !tunnel.isKernels else {
            return try HostProgram(self, of: node, in: process)
        }
        return try TunnelledHostProgram(self, tunnel.endpoint, of: node, in: process)
    }
}
