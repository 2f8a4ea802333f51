import Evidence
import LabTime
import Measurement
import Wire

/// The times without an answer to a traffic program, in the frames of the client's captures.
struct ClientOutages: Sendable {
    /// A request or an answer. A connection's acknowledgements alone are neither.
    struct Frame: Hashable, Sendable {
        var time: Timestamp
        /// The place of its capture among the client's.
        var capture: Int
        var number: Int
        var isAnswer: Bool
        /// Its place among the program's flows; 0 where an answer to any flow counts for all.
        var flow: Int
    }

    struct Outage: Hashable, Sendable {
        /// The last answer, or the first request.
        var start: Frame
        /// The next answer; where there was none, the last request.
        var end: Frame
        var isOver: Bool
        /// nil of all flows together.
        var flow: Int?

        var length: Duration { end.time - start.time }

        func role(of frame: Frame) -> String {
            if frame == start { return start.isAnswer ? "last answer before it" : "first request" }
            return isOver ? "first answer after it" : "last request"
        }
    }

    private(set) var all: [Outage] = []

    /// Complexity: one pass over the captures; memory for each frame of the program.
    init(of result: TrafficResult, _ captures: [CaptureSummary], in evidence: RunEvidence) throws {
        let program = result.program
        let isTogether = program.kind.opensFlowForEachProbe
        let membership = FlowMembership(evidence.traffic)
        var frames: [Frame] = []
        for (place, capture) in captures.enumerated() {
            try evidence.source.frames(of: capture, matching: Self.filter(program)) { frame in
                let reading = FrameReading(frame.bytes)
                guard let (flow, side) = membership.flowAndSide(of: reading, at: frame.time, program: program.name),
                    reading.counts(on: side, by: program.options.trace)
                else { return true }
                frames.append(
                    Frame(
                        time: frame.time, capture: place, number: frame.number, isAnswer: side == .toClient,
                        flow: isTogether ? 0 : flow))
                return true
            }
        }
        frames.sort { ($0.time, $0.capture, $0.number) < ($1.time, $1.capture, $1.number) }

        var open: [Int: (start: Frame, last: Frame)] = [:]
        for frame in frames {
            guard let current = open[frame.flow] else {
                open[frame.flow] = (frame, frame)
                continue
            }
            if frame.isAnswer {
                all.append(Outage(start: current.start, end: frame, isOver: true, flow: isTogether ? nil : frame.flow))
                open[frame.flow] = (frame, frame)
            } else {
                open[frame.flow] = (current.start, frame)
            }
        }
        all += open.sorted { $0.key < $1.key }.compactMap { flow, ends in
            guard !ends.last.isAnswer else { return nil }
            return Outage(start: ends.start, end: ends.last, isOver: false, flow: isTogether ? nil : flow)
        }
    }

    fileprivate static func filter(_ program: TrafficProgram) -> String {
        "\(program.captureFilter) and host \(program.target)"
    }
}

extension ClientOutages.Frame {
    /// What the frame is, in one line.
    func summary(
        in capture: CaptureSummary, of program: TrafficProgram, _ evidence: RunEvidence
    ) throws -> String? {
        var summary: String?
        try evidence.source.frames(of: capture, matching: ClientOutages.filter(program)) { frame in
            guard frame.number == number else { return frame.number < number }
            summary = FrameReading(frame.bytes).summary
            return false
        }
        return summary
    }
}

extension FrameReading {
    /// Whether it is a request to the server, or an answer to the client.
    fileprivate func counts(on side: FlowMembership.Side, by trace: AnswerTrace) -> Bool {
        guard let packet else { return false }
        switch trace {
        case .datagrams: return true
        case .frames: return packet.tcp.map { ($0.payloadLength ?? 0) > 0 } ?? true
        case .connection:
            // SYN, and SYN with ACK.
            return packet.tcp?.flags.map { $0 & 0x12 == (side == .toServer ? 0x02 : 0x12) } ?? false
        case .bytes, .payload: return (packet.tcp?.payloadLength ?? 0) > 0
        }
    }
}
