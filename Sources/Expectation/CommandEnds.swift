import Evidence
import LabTime
import Measurement
import Wire

/// The client's ends of programs of kind `command`: nobody knows beforehand which ports a command takes, but the
/// captures of its node show them.
///
/// A TCP connection to the target begins with its SYN, a flow of datagrams with the first one; ends of other programs
/// are left out. An end is one of the run during which it began. Where several runs were under way the captures cannot
/// show whose it is: ends with answers go to runs that succeeded, one each, as long as there are such.
struct CommandEnds {
    /// What the runs to one target share.
    private struct Target: Hashable {
        var node: String
        var transport: IPProtocol
        var address: IPAddress
        var port: UInt16

        init(_ program: TrafficProgram) {
            node = program.from
            transport = program.transport
            address = program.target
            port = program.port
        }
    }

    private struct Run {
        /// Its places in the evidence.
        var result: Int
        var flow: Int
        var start: Timestamp
        var end: Timestamp
        var hasSucceeded: Bool
        var ends: [FlowEnd] = []

        func contains(_ time: Timestamp) -> Bool {
            start - CommandEnds.slack <= time && time <= end + CommandEnds.slack
        }
    }

    /// In the order of their starts.
    private struct Runs {
        var all: [Run]
        private let longest: Duration

        init(_ runs: [Run]) {
            all = runs.sorted { $0.start < $1.start }
            longest = runs.map { $0.end - $0.start }.max() ?? .zero
        }

        /// Places of those that were under way.
        /// - Complexity: logarithmic in the runs, linear in those that began shortly before
        func underWay(at time: Timestamp) -> [Int] {
            var (low, high) = (0, all.count)
            let first = time - longest - CommandEnds.slack
            while low < high {
                let middle = (low + high) / 2
                if all[middle].start < first { low = middle + 1 } else { high = middle }
            }
            return all[low...].indices.prefix { all[$0].start <= time + CommandEnds.slack }
                .filter { all[$0].contains(time) }
        }
    }

    private struct Connection {
        var end: FlowMembership.ClientEnd
        var start: Timestamp
        /// 0 without a frame to the client, resets apart; 1 with one, 2 with payload.
        var answer = 0
    }

    /// By which clocks of a run and of its frames may differ.
    private static let slack = Duration.milliseconds(10)

    /// The evidence with the ends of its commands.
    /// - Throws: captures that cannot be read
    static func found(in evidence: RunEvidence) throws -> RunEvidence {
        let commands = evidence.traffic.indices.filter { evidence.traffic[$0].program.kind == .command }
        var found = evidence
        for (target, results) in Dictionary(grouping: commands, by: { Target(evidence.traffic[$0].program) }) {
            for run in try runs(of: results, to: target, in: evidence) where !run.ends.isEmpty {
                found.traffic[run.result].flows[run.flow].set(run.ends)
            }
        }
        return found
    }

    private static func runs(
        of results: [Int], to target: Target, in evidence: RunEvidence
    ) throws -> [Run] {
        var runs = Runs(
            results.flatMap { result in
                evidence.traffic[result].flows.enumerated().map { number, flow in
                    Run(
                        result: result, flow: number, start: flow.start, end: flow.end,
                        hasSucceeded: flow.outcome == .survived)
                }
            })
        for connection in try connections(to: target, runs, in: evidence) {
            let isAnswered = connection.answer > 0
            // Of those without an end that one which ends first: so no run that could have one is left without.
            let owner = runs.underWay(at: connection.start).min { a, b in
                let (a, b) = (runs.all[a], runs.all[b])
                if a.ends.isEmpty != b.ends.isEmpty { return a.ends.isEmpty }
                if a.hasSucceeded != b.hasSucceeded { return a.hasSucceeded }
                return a.ends.isEmpty ? a.end < b.end : a.start > b.start
            }
            guard let owner else { continue }
            runs.all[owner].ends.append(
                FlowEnd(
                    source: connection.end.address, sourcePort: connection.end.port, start: connection.start,
                    isAnswered: isAnswered))
        }
        return runs.all
    }

    /// The best answered ones first, then in the order of their beginning.
    private static func connections(
        to target: Target, _ runs: Runs, in evidence: RunEvidence
    ) throws -> [Connection] {
        let others = OtherEnds(evidence.traffic, to: target.transport, target.address, target.port)
        var all: [Connection] = []
        var newest: [FlowMembership.ClientEnd: Int] = [:]
        /// Whether a run that may own the connection is still under way.
        func isCurrent(_ connection: Connection, at time: Timestamp) -> Bool {
            !Set(runs.underWay(at: connection.start)).isDisjoint(with: runs.underWay(at: time))
        }
        guard let program = runs.all.first.map({ evidence.traffic[$0.result].program }) else { return [] }
        let filter = "\(program.captureFilter) and host \(target.address) and port \(target.port)"
        for capture in evidence.captures where capture.node == target.node {
            try evidence.source.frames(of: capture, matching: filter) { frame in
                guard let packet = FrameReading(frame.bytes).packet, packet.proto == target.transport.rawValue,
                    let source = packet.sourcePort, let destination = packet.destinationPort
                else { return true }
                if packet.destination == target.address, destination == target.port {
                    let end = FlowMembership.ClientEnd(proto: packet.proto, address: packet.source, port: source)
                    // SYN without ACK
                    if let tcp = packet.tcp, tcp.flags.map({ $0 & 0x12 == 0x02 }) != true { return true }
                    if let known = newest[end], isCurrent(all[known], at: frame.time) { return true }
                    guard !others.have(end, at: frame.time) else { return true }
                    newest[end] = all.count
                    all.append(Connection(end: end, start: frame.time))
                } else if packet.source == target.address, source == target.port {
                    let end = FlowMembership.ClientEnd(
                        proto: packet.proto, address: packet.destination, port: destination)
                    // A refusal is no answer.
                    guard let known = newest[end], !packet.isReset else { return true }
                    let hasPayload = (packet.tcp?.payloadLength ?? packet.udpPayloadLength ?? 0) > 0
                    all[known].answer = max(all[known].answer, hasPayload ? 2 : 1)
                }
                return true
            }
        }
        return all.sorted { ($1.answer, $0.start) < ($0.answer, $1.start) }
    }

    /// Ends of programs that know them.
    private struct OtherEnds {
        private var times: [FlowMembership.ClientEnd: [ClosedRange<Timestamp>]] = [:]

        init(_ traffic: [TrafficResult], to transport: IPProtocol, _ address: IPAddress, _ port: UInt16) {
            for result in traffic where result.program.kind != .command {
                let program = result.program
                guard program.transport == transport, program.target == address, program.port == port else { continue }
                for flow in result.flows {
                    for end in flow.ends {
                        let start = end.start - CommandEnds.slack
                        times[result.clientEnd(of: end), default: []].append(start...max(start, flow.end))
                    }
                }
            }
        }

        func have(_ end: FlowMembership.ClientEnd, at time: Timestamp) -> Bool {
            times[end]?.contains { $0.contains(time) } ?? false
        }
    }
}

extension TrafficResult {
    /// - Throws: `UndecidableExpectation` where the captures do not show which frames are those of a command
    func requireKnownPorts(in evidence: RunEvidence) throws {
        guard program.kind == .command else { return }
        func undecidable(_ reason: String) -> UndecidableExpectation {
            UndecidableExpectation("which frames are of \(program.name) is not known: \(reason)")
        }
        guard evidence.captures.contains(where: { $0.node == program.from }) else {
            throw undecidable("no interface of its node '\(program.from)' was captured")
        }
        if let flow = flows.first(where: { $0.outcome == .survived && $0.sourcePort == 0 }) {
            throw undecidable("the captures of '\(program.from)' have none of \(flow.place)")
        }
        let summed = evidence.traffic.first { other in
            other.program.kind.type.sumsFlows && other.program.from == program.from
                && other.program.transport == program.transport && other.program.target == program.target
                && other.program.port == program.port
        }
        if let summed { throw undecidable("\(summed.program.name) has the same target, and its ports are not listed") }
    }
}

extension FlowResult {
    /// Takes ends that captures have shown.
    fileprivate mutating func set(_ ends: [FlowEnd]) {
        let ends = ends.sorted { $0.start < $1.start }
        guard let first = ends.first else { return }
        (source, sourcePort) = (first.source, first.sourcePort)
        laterEnds = ends.count > 1 ? Array(ends.dropFirst()) : nil
    }
}
