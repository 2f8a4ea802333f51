internal import EventLoop
internal import LabTime
internal import Measurement
internal import SystemPackage
internal import TrafficModel
internal import Wire

/// What the flows of one program share.
struct FlowContext {
    let program: TrafficProgram
    /// The program's number in its node, in every probe record.
    let number: UInt32
    let loop: EventLoop
    let clock: ClockReference
    let ports: SourcePorts
    let parting: PartingSockets
    /// Of a program whose requests share connections.
    let kept: KeptConnections?
    /// Of kind `command`.
    let commands: (any CommandStarter)?

    init(
        program: TrafficProgram, number: UInt32, loop: EventLoop, ports: SourcePorts,
        commands: (any CommandStarter)? = nil
    ) {
        self.commands = commands
        self.program = program
        self.number = number
        self.loop = loop
        self.ports = ports
        clock = ClockReference(instant: loop.now, timestamp: .now())
        parting = PartingSockets(on: loop)
        kept =
            program.reusesConnections
            ? KeptConnections(on: loop, maximumAge: program.maximumAge, parting: parting) : nil
    }

    var target: Endpoint { Endpoint(address: program.target, port: program.port) }

    func record(flow: UInt32, sequence: UInt64, at now: Instant) -> ProbeRecord {
        ProbeRecord(
            program: number, flow: flow, sequence: sequence, sentAt: now,
            length: program.length(flow: flow, sequence: sequence))
    }

    /// A socket on its way to the target from a source port of its own.
    func connectedSocket(_ kind: Socket.Kind) throws(Errno) -> (socket: Socket, isConnected: Bool) {
        let socket = try Socket(kind, program.target.family)
        switch kind {
        case .tcp:
            try ports.bind(socket)
            try socket.disableNagle()
            try socket.resetWhenClosed()
            if let options = program.options.tcp { try socket.set(options) }
        case .udp: try ports.bind(socket)
        case .echo: try socket.takeEchoReplies(to: ports.take())
        }
        return (socket, try socket.connect(target))
    }

    /// The source of a flow that never had one.
    private static func unknown(_ family: IPVersion) -> IPAddress { family == .ipv4 ? .ipv4(.any) : .ipv6(.any) }

    /// - Parameter figures: of the flow's model
    func result(_ ends: FlowEnds, end: Instant, _ figures: FlowFigures, _ ending: FlowEnding) -> FlowResult {
        var result = result(source: ends.first, end: end, figures, ending)
        result.laterEnds = ends.later(on: clock)
        return result
    }

    /// - Parameter figures: of the flow's model
    func result(source: Endpoint?, end: Instant, _ figures: FlowFigures, _ ending: FlowEnding) -> FlowResult {
        var result = result(
            source: source, start: figures.started, end: end, reading: figures.reading, ending: ending,
            latency: figures.latency, garbage: figures.garbage)
        result.status = figures.status
        result.reconnects = figures.reconnects
        result.longestDisconnection = figures.longestDisconnection
        result.exit = figures.exit
        result.values = figures.values
        return result
    }

    func result(
        source: Endpoint?, start: Instant, end: Instant, reading: FlowReading, ending: FlowEnding,
        latency: Duration? = nil, garbage: Int
    ) -> FlowResult {
        FlowResult(
            source: source?.address ?? Self.unknown(program.target.family), sourcePort: source?.port ?? 0,
            start: clock.timestamp(of: start),
            end: clock.timestamp(of: end), sent: reading.sent, received: reading.received, lost: reading.lost,
            duplicated: reading.duplicated, reordered: reading.reordered, longestGap: reading.gap(on: clock),
            outcome: ending.outcome, latency: latency, lossDerivedGap: reading.lossDerivedGap, reason: ending.reason,
            garbage: garbage)
    }
}
