import LabTime
import Measurement

@testable import TrafficModel

/// What becomes of each input in each phase of a flow, as text.
struct FlowOutcomeTable<Model: FlowModel> {
    /// How a flow comes into a phase, all within 40 ms.
    struct Setup {
        var name: String
        var phase: String
        var flow: () -> PlayedFlow<Model>
    }

    var setups: [Setup]
    var phase: (Model) -> String
    /// What the other side answers to what was sent so far.
    var answer: (PlayedTransport) -> [[UInt8]] = { $0.sent }

    struct Mistake: Error {
        var text: String
    }

    private struct Input {
        var name: String
        var input: FlowInput
        /// nil for when the flow's deadline comes.
        var milliseconds: Int? = 40
        var prepare: (inout PlayedFlow<Model>) -> Void = { _ in }
    }

    private var inputs: [Input] {
        let reset = FlowEnding(outcome: .reset, reason: "Connection reset by peer")
        let answer = answer
        return [
            Input(name: "connected", input: .connected), Input(name: "failed", input: .failed(reset)),
            Input(name: "writable", input: .writable),
            Input(name: "writable, the connection is reset", input: .writable) { $0.transport.sendFailure = reset },
            Input(name: "readable, nothing", input: .readable),
            Input(name: "readable, an answer", input: .readable) { $0.transport.incoming = answer($0.transport) },
            Input(name: "readable, something else", input: .readable) { $0.transport.incoming = [[1, 2, 3]] },
            Input(name: "readable, the end", input: .readable) { $0.transport.ending = .endOfStream },
            Input(name: "readable, the connection is reset", input: .readable) { $0.transport.ending = .failed(reset) },
            Input(name: "time, early", input: .time),
            Input(name: "time, at its deadline", input: .time, milliseconds: nil),
            Input(name: "time, very late", input: .time, milliseconds: 400),
            Input(name: "time, very late, the handshake is complete", input: .time, milliseconds: 400) {
                $0.transport.handshake = .complete
            },
            Input(name: "time, very late, an answer is there", input: .time, milliseconds: 400) {
                $0.transport.handshake = .complete
                $0.transport.incoming = answer($0.transport)
            },
            Input(name: "finish", input: .finish),
        ]
    }

    /// - Throws: where a flow does not come into its phase, or one that has ended does something
    func text() throws -> String {
        var lines = ["# What becomes of each input in each phase. FlowOutcomeTests has how a flow comes there."]
        for setup in setups {
            lines.append("\n## \(setup.name)")
            for input in inputs {
                let row = try row(setup, input)
                lines.append(([input.name + ":"] + (row.isEmpty ? ["nothing"] : row)).joined(separator: "\n    "))
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func row(_ setup: Setup, _ input: Input) throws -> [String] {
        var flow = setup.flow()
        guard phase(flow.model) == setup.phase else { throw Mistake(text: "\(setup.name): \(phase(flow.model))") }
        let (deadline, wanted) = (flow.model.deadline, flow.model.wantsToSend)
        input.prepare(&flow)
        flow.transport.sent = []
        flow.transport.room = .max
        let due = flow.model.deadline.map { Int($0.nanoseconds / 1_000_000) } ?? 40
        let events = flow.step(input.input, at: input.milliseconds ?? due)
        var row: [String] = []
        let records = flow.requests
        if !records.isEmpty {
            row.append("sends \(records.map(String.init).joined(separator: ", "))")
        } else if !flow.transport.sent.isEmpty {
            row.append("sends \(flow.transport.sent.reduce(0) { $0 + $1.count }) bytes")
        }
        row += events.map { FlowText.text($0) }
        if flow.model.wantsToSend != wanted {
            row.append(flow.model.wantsToSend ? "waits for room" : "waits for no room")
        }
        if flow.model.deadline != deadline {
            row.append(flow.model.deadline.map { "until \(FlowText.milliseconds($0))" } ?? "no time")
        }
        let after = phase(flow.model)
        if after != setup.phase { row.append("→ \(after)") }
        if setup.phase == "ended", !row.isEmpty { throw Mistake(text: "\(setup.name): \(row)") }
        return row
    }
}

/// Events and times as tables write them.
private enum FlowText {
    static func text(_ event: FlowEvent) -> String {
        switch event {
        case .firstAnswer: "first answer"
        case .connection(.close): "closes its connection"
        case .connection(.open): "opens a connection"
        case .skipped(let reason): "skipped: \(reason)"
        case .ended(let ending): "ended: \(ending.outcome.rawValue)\(ending.reason.map { ", \($0)" } ?? "")"
        }
    }

    static func milliseconds(_ instant: Instant) -> String { "\(instant.nanoseconds / 1_000_000)ms" }
}
