import EventLoop
import Glibc
import LabTime
import Measurement
import TestSupport
import TrafficModel
import Wire

@testable import Traffic

/// An event loop with a traffic client on 127.0.0.1, run until what a test waits for has happened.
final class LoopbackBench {
    private var closedPorts: [ClosedPort] = []
    let loop: EventLoop
    let ports: SourcePorts
    private(set) var isReady = false
    private(set) var ended: [FlowResult] = []
    private(set) var result: TrafficResult?
    private var client: TrafficClient?

    init() throws {
        loop = try EventLoop()
        ports = SourcePorts(seed: UInt64(Instant.monotonic().nanoseconds))
    }

    func program(
        _ kind: TrafficProgram.Kind, port: UInt16, flows: Int = 1, every: Duration = .milliseconds(5),
        payload: Int = 64, timeout: Duration = .seconds(60), retryEvery: Duration = .milliseconds(10),
        exchanges: Bool = true, target: IPAddress = .ipv4(.loopback), rounds: ManyFlowTraffic.Rounds? = nil,
        options: (any TrafficKind)? = nil
    ) -> TrafficProgram {
        let own: any TrafficKind =
            switch kind {
            case .tcpConnect: TCPConnectTraffic(exchanges: exchanges)
            case .udpRequest: UDPRequestTraffic(retryEvery: retryEvery)
            case .udpManyFlows: ManyFlowTraffic(rounds ?? .init(spread: every), retryEvery: retryEvery)
            default: kind.type.init()
            }
        return TrafficProgram(
            name: "test", options: options ?? own, from: "client", target: target, port: port, flows: flows,
            every: every,
            payload: payload, timeout: timeout)
    }

    /// Runs a program for longer and longer, until its result has what a test asks for: how long a busy machine takes
    /// for that is not known.
    func result(of program: TrafficProgram, having isEnough: (TrafficResult) -> Bool) -> TrafficResult {
        var time = Duration.milliseconds(60)
        while true {
            (isReady, result, ended) = (false, nil, [])
            start(program)
            run { isReady }
            run(for: time)
            let result = finish()
            if isEnough(result) || time > .seconds(20) { return result }
            time *= 4
        }
    }

    @discardableResult
    func start(
        _ program: TrafficProgram, mostOpenProbes: Int = TrafficClient.mostOpenProbes,
        commands: (any CommandStarter)? = nil
    ) -> TrafficClient {
        let client = TrafficClient(
            program, number: 1, on: loop, ports: ports, commands: commands, mostOpenProbes: mostOpenProbes
        ) { [unowned self] event in
            switch event {
            case .ready: isReady = true
            case .flowEnded(let flow): ended.append(flow)
            case .finished(let finished): result = finished
            }
        }
        self.client = client
        client.start()
        return client
    }

    func run(until condition: () -> Bool) {
        while !condition() { loop.turn(block: true) }
    }

    /// Turns for a while: how long only decides how much is asked.
    func run(for duration: Duration) {
        var isOver = false
        loop.schedule(after: duration) { isOver = true }
        run { isOver }
    }

    /// Tells the client to finish and waits for its result.
    func finish() -> TrafficResult {
        client?.finish()
        run { result != nil }
        return result!
    }

    /// A port on which nobody listens.
    func closedPort(_ kind: Socket.Kind) throws -> UInt16 {
        let port = try ClosedPort(kind == .tcp ? SOCK_STREAM : SOCK_DGRAM)
        closedPorts.append(port)
        return port.number
    }

    /// A socket that takes connections, or datagrams, and never answers.
    func blackHole(_ kind: Socket.Kind) throws -> Socket {
        let socket = try Socket(kind, .ipv4)
        try socket.bind(Endpoint(address: .ipv4(.loopback), port: 0))
        if kind == .tcp { try socket.listen(backlog: 128) }
        return socket
    }
}
