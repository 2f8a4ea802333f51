import Evidence
import LabTime
import Measurement
import Wire

/// The frames at the client that confirm what a flow's endpoint saw: the last before a gap and the first after it,
/// or the last of each direction where the flow did not survive.
struct TrafficProof: Sendable {
    var frames: [FrameReference] = []
    var wiresharkFilter: String
    /// More would make an unreadable filter.
    private static let mostPorts = 16

    /// Reads the captures of the client's interfaces up to the first that carried the flow; no frames where none did.
    init(
        of flow: FlowResult, in result: TrafficResult, _ evidence: RunEvidence, from event: LabEvent?
    ) throws {
        let proto = result.program.captureFilter
        // The filter for captures has no word for an identifier.
        // Of a command that has sent nothing no port is known.
        let ports = flow.ends.map(\.sourcePort).filter { $0 != 0 || result.program.kind != .command }
        let port =
            !result.program.kind.hasPorts || ports.isEmpty || ports.count > Self.mostPorts
            ? "" : " and (\(ports.map { "port \($0)" }.joined(separator: " or ")))"
        let field = Self.portField(of: result.program)
        let isOneOfThem =
            ports.count == 1
            ? "== \(flow.sourcePort)" : "in {\(ports.prefix(Self.mostPorts).map(String.init).joined(separator: ", "))}"
        let address = "\(flow.source.isIPv4 ? "ip" : "ipv6").addr =="
        wiresharkFilter =
            ports.isEmpty
            ? "\(address) \(result.program.target) && \(field) == \(result.program.port)"
            : "\(address) \(flow.source) && \(field) \(isOneOfThem)"
        let membership = FlowMembership(evidence.traffic)
        let ends = Set(flow.ends.map(result.clientEnd))
        let pivot = flow.outcome == .survived ? flow.longestGap?.start : nil
        for capture in evidence.captures where capture.node == result.program.from {
            var sightings = Sightings()
            try evidence.source.frames(
                of: capture, matching: "\(proto) and host \(flow.source)\(port)"
            ) { frame in
                let reading = FrameReading(frame.bytes)
                if let side = membership.side(
                    of: reading, at: frame.time, flow: flow, ends: ends, of: result)
                {
                    sightings.add(.init(frame, reading), side, pivot)
                }
                return true
            }
            frames = sightings.proof(pivot: pivot, hasSurvived: flow.outcome == .survived).map { sighting, role in
                FrameReference(
                    capture: sighting.capture, number: sighting.number, time: sighting.time,
                    moment: evidence.moment(of: sighting.time, from: event),
                    role: role, note: sighting.reading.summary)
            }
            if !frames.isEmpty { return }
        }
    }

    /// Wireshark's name for what tells the program's flows apart.
    static func portField(of program: TrafficProgram, _ port: String = "port") -> String {
        switch program.transport {
        case .tcp: "tcp.\(port)"
        case .icmp: "icmp.ident"
        case .icmpv6: "icmpv6.echo.identifier"
        default: "udp.\(port)"
        }
    }

    private struct Sightings {
        var first: [FlowMembership.Side: FrameTally.Sighting] = [:]
        var last: [FlowMembership.Side: FrameTally.Sighting] = [:]
        var lastAnswerBeforeGap: FrameTally.Sighting?
        var firstAnswerAfterGap: FrameTally.Sighting?

        mutating func add(_ sighting: FrameTally.Sighting, _ side: FlowMembership.Side, _ pivot: Timestamp?) {
            if first[side] == nil { first[side] = sighting }
            last[side] = sighting
            // A bare acknowledgement is the kernel's, not the server's answer.
            guard let pivot, side == .toClient, sighting.reading.carriesPayload else { return }
            if sighting.time <= pivot {
                lastAnswerBeforeGap = sighting
            } else if firstAnswerAfterGap == nil {
                firstAnswerAfterGap = sighting
            }
        }

        func proof(pivot: Timestamp?, hasSurvived: Bool) -> [(FrameTally.Sighting, String)] {
            let pair: [(FrameTally.Sighting?, String)] =
                if !hasSurvived {
                    [(last[.toClient], "last to the client"), (last[.toServer], "last to the server")]
                } else if pivot != nil {
                    [
                        (lastAnswerBeforeGap, "last answer before the gap"),
                        (firstAnswerAfterGap, "first answer after it"),
                    ]
                } else {
                    [(first[.toServer], "first to the server"), (first[.toClient], "first to the client")]
                }
            return pair.compactMap { sighting, role in sighting.map { ($0, role) } }
        }
    }
}

extension FrameReading {
    fileprivate var carriesPayload: Bool {
        guard let packet else { return false }
        return packet.icmp?.echo != nil || (packet.tcp?.payloadLength ?? packet.udpPayloadLength ?? 0) > 0
    }
}
