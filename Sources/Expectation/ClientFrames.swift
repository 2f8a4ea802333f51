import Evidence
import LabTime
import Measurement
import Wire

/// What the captures of a client's interfaces carried of one traffic program: the frames that must agree with what the
/// client reports.
struct ClientFrames: Sendable {
    /// Frames of a flow, or of all flows of a program, in both directions.
    struct Tally: Hashable, Sendable {
        var requests = 0
        var answers = 0
        /// Payload bytes, repeated ones included.
        var requestBytes = 0
        var answerBytes = 0
        /// Frames with payload.
        var requestsWithPayload = 0
        var answersWithPayload = 0
        /// Of HTTP answers that begin in a frame.
        var statuses: Set<UInt64> = []
        /// Where answers came, of a flow with several ends.
        var answeredEnds: Set<UInt16> = []

        mutating func add(_ reading: FrameReading, _ side: FlowMembership.Side) {
            guard let packet = reading.packet else { return }
            let bytes = packet.tcp?.payloadLength ?? packet.udpPayloadLength ?? 0
            switch side {
            case .toServer:
                requests += 1
                requestBytes += bytes
                if bytes > 0 { requestsWithPayload += 1 }
            case .toClient:
                answers += 1
                answerBytes += bytes
                if bytes > 0 { answersWithPayload += 1 }
                if let status = packet.http?.status { statuses.insert(UInt64(status)) }
            }
        }

        mutating func add(_ other: Tally) {
            requests += other.requests
            answers += other.answers
            requestBytes += other.requestBytes
            answerBytes += other.answerBytes
            requestsWithPayload += other.requestsWithPayload
            answersWithPayload += other.answersWithPayload
            statuses.formUnion(other.statuses)
        }
    }

    private let result: TrafficResult
    private let captures: [CaptureSummary]
    private var tallies: [Tally]
    /// Everything between the client and the program's target, whichever flow it is of.
    private var all = Tally()
    /// Later fragments have no ports, so their bytes are of no flow.
    private var hasFragments = false
    /// Of a command: when its node asked for a neighbour's MAC address. Where nobody has it, nothing else leaves.
    private var neighborRequests: [Timestamp] = []

    /// Reads the captures of the client's interfaces once. nil where none of them was captured.
    init?(of result: TrafficResult, in evidence: RunEvidence) throws {
        self.result = result
        captures = evidence.captures.filter { $0.node == result.program.from }
        guard !captures.isEmpty else { return nil }
        tallies = Array(repeating: Tally(), count: result.flows.count)
        let (program, membership) = (result.program, FlowMembership(evidence.traffic))
        let isCommand = program.kind == .command
        let filter =
            "(\(program.captureFilter) and host \(program.target))" + (isCommand ? " or arp or icmp6" : "")
        let sources = Set(result.flows.map(\.source))
        for capture in captures {
            try evidence.source.frames(of: capture, matching: filter) { frame in
                let reading = FrameReading(frame.bytes)
                if isCommand, reading.isNeighborRequest(of: sources) { neighborRequests.append(frame.time) }
                guard let packet = reading.packet, packet.proto == program.transport.rawValue else { return true }
                // A refusal is no answer to a command.
                if isCommand, packet.isReset { return true }
                if let (flow, side) = membership.flowAndSide(of: reading, at: frame.time, program: program.name) {
                    tallies[flow].add(reading, side)
                    if side == .toClient, let port = packet.destinationPort, result.flows[flow].laterEnds != nil {
                        tallies[flow].answeredEnds.insert(port)
                    }
                }
                guard let source = packet.sourcePort, let destination = packet.destinationPort else {
                    if packet.icmp == nil { hasFragments = true }
                    return true
                }
                if packet.destination == program.target, destination == program.port {
                    all.add(reading, .toServer)
                } else if packet.source == program.target, source == program.port {
                    all.add(reading, .toClient)
                }
                return true
            }
        }
    }

    /// What the client reports of a flow and its captures do not show; nil where they agree.
    ///
    /// Only what is certain is asked for: that an answered request and its answer passed, and for the kinds whose requests
    /// have a known size as many as were answered. A request without an answer may have waited for a neighbour's address, and
    /// never have left.
    func disagreement(about number: Int) -> String? {
        let flow = result.flows[number]
        guard flow.outcome == .survived || flow.received > 0, !flow.isLocal(to: result.program) else { return nil }
        guard let missing = missing(of: flow, tallies[number]) else { return nil }
        return
            "the client reports that \(flow.place) \(reported(of: flow)), but \(missing)"
            + doubt(from: flow.start, to: flow.end)
    }

    /// Of a command that did not succeed: that it has sent nothing, so that the network may have no part in its failure.
    func silence(of number: Int) -> String? {
        let flow = result.flows[number]
        guard result.program.kind == .command, flow.outcome != .survived, tallies[number].requests == 0,
            !flow.isLocal(to: result.program), !neighborRequests.contains(where: { flow.start <= $0 && $0 <= flow.end })
        else { return nil }
        return "\(place) has no frame of \(flow.place): it sent nothing to its target"
            + doubt(from: flow.start, to: flow.end)
    }

    private func reported(of flow: FlowResult) -> String {
        flow.outcome == .survived && flow.received == 0
            ? "survived" : "had \(flow.received) \(flow.received == 1 ? "answer" : "answers")"
    }

    private func missing(of flow: FlowResult, _ tally: Tally) -> String? {
        func lack(_ count: Int, _ what: String, _ wanted: Int) -> String? {
            guard count < wanted else { return nil }
            return "\(place) \(count == 0 ? "has no" : "has only \(count)") \(what) of it"
                + (count == 0 ? "" : ", not \(wanted)")
        }
        let program = result.program
        if case .frames(answered: false) = program.options.trace {
            return lack(tally.requests, "frame to the server", 1)
        }
        if let lack = lack(tally.requests, "frame to the server", 1) ?? lack(tally.answers, "frame to the client", 1) {
            return lack
        }
        if let missing = missingEnd(of: flow, tally) { return missing }
        switch program.options.trace {
        case .datagrams:
            return lack(tally.requests, "datagrams to the server", flow.received)
                ?? lack(tally.answers, "datagrams to the client", flow.received.plus(flow.duplicated))
        case .connection, .frames: return nil
        case .bytes:
            guard !hasFragments else { return nil }
            let bytes = flow.received.multipliedReportingOverflow(by: program.leastLength)
            guard !bytes.overflow else { return "no capture can hold that many bytes" }
            return lack(tally.requestBytes, "bytes to the server", bytes.partialValue)
                ?? lack(tally.answerBytes, "bytes to the client", bytes.partialValue)
        case .payload(let showsStatus):
            if let status = flow.status, showsStatus, !tally.statuses.isEmpty,
                !tally.statuses.contains(UInt64(clamping: status))
            {
                let seen = tally.statuses.sorted().map(String.init).joined(separator: ", ")
                return "\(place) has no answer to it with status \(status), but with \(seen)"
            }
            guard flow.received > 0 else { return nil }
            return lack(tally.requestsWithPayload, "frame with payload to the server", 1)
                ?? lack(tally.answersWithPayload, "frame with payload to the client", 1)
        }
    }

    /// A connection that the client reports as established has the server's handshake, and another source port of a flow
    /// of datagrams an answer; the connections after errors are among them.
    private func missingEnd(of flow: FlowResult, _ tally: Tally) -> String? {
        let answered = (flow.laterEnds ?? []).filter(\.isAnswered)
        if let end = answered.first(where: { !tally.answeredEnds.contains($0.sourcePort) }) {
            return "\(place) has no frame to its further end \(end.source.endpoint(port: end.sourcePort))"
        }
        guard let reconnects = flow.reconnects, reconnects > answered.count else { return nil }
        return "of \(reconnects) connections after an error it names \(answered.count)"
    }

    /// As above, of flows that are not listed one by one: the datagrams of all its flows together.
    func disagreement(about further: FurtherFlows) -> String? {
        let received = result.flows.reduce(further.received) { $0.plus($1.received) }
        for (count, side) in [(all.requests, "to the server"), (all.answers, "to the client")] where count < received {
            return
                "the client reports that \(result.program.name) had \(received) answers, but \(place) has \(count) datagrams of it \(side)"
                + doubt(from: nil, to: nil)
        }
        return nil
    }

    private var place: String {
        captures.count == 1 ? captures[0].path : "what was captured at \(result.program.from)"
    }

    /// What the captures themselves lack in that time.
    private func doubt(from start: Timestamp?, to end: Timestamp?) -> String {
        for capture in captures {
            let losing = capture.losses.first { loss in
                start.map { loss.to >= $0 } ?? true && end.map { loss.from <= $0 } ?? true
            }
            let lost = losing.map { $0.frames ?? 1 } ?? capture.droppedAtAnyTime
            if losing != nil || lost > 0 {
                let many = losing != nil && losing?.frames == nil ? "an unknown number of" : "\(lost)"
                let by = losing?.cause == .captureLimit ? "--capture-limit left out" : "the kernel dropped"
                return "; \(capture.path) lacks \(many) frames that \(by), which may be these"
            }
        }
        return ""
    }
}

extension Int {
    /// Figures come from a file, which may hold any number.
    fileprivate func plus(_ other: Int) -> Int {
        let sum = addingReportingOverflow(other)
        return sum.overflow ? .max : sum.partialValue
    }
}

extension FrameReading {
    /// Whether one of these addresses asks for a MAC address: an ARP request, or a neighbour solicitation, whose source
    /// may be another address of the same interface.
    fileprivate func isNeighborRequest(of sources: Set<IPAddress>) -> Bool {
        if let arp { return arp.operation == 1 && sources.contains(.ipv4(arp.senderAddress)) }
        return packet?.icmp?.type == 135 && packet?.proto == IPProtocol.icmpv6.rawValue
    }
}

extension TrafficProgram {
    /// Of its packets, in the language of pcap filters.
    var captureFilter: String {
        switch transport {
        case .tcp: "tcp"
        case .icmp: "icmp"
        case .icmpv6: "icmp6"
        default: "udp"
        }
    }
}

extension FlowResult {
    /// `192.0.2.10:40000`; of a run of a command whose ports nobody knows, when it began.
    var place: String {
        sourcePort == 0 && exit != nil ? "the run that began at \(start)" : source.endpoint(port: sourcePort)
    }

    /// Whether it never left its node: traffic to an own address goes over the loopback, from that address, which
    /// is not captured.
    fileprivate func isLocal(to program: TrafficProgram) -> Bool { source == program.target }
}
