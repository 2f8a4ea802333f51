import LabTime
import Measurement
import Testing

@testable import TrafficModel

/// Every phase of a flow meets every input.
struct FlowPhaseTests {
    private static func name(_ phase: TransferModel.Phase) -> String {
        switch phase {
        case .connecting: "connecting"
        case .loggingIn: "loggingIn"
        case .idle: "idle"
        case .agreeing: "agreeing"
        case .agreed: "agreed"
        case .opening: "opening"
        case .transferring: "transferring"
        case .ended: "ended"
        }
    }

    private static let inputs: [(name: String, input: TransferInput)] = [
        ("connected", .control(.connected)), ("writable", .control(.writable)), ("readable", .control(.readable)),
        ("time", .control(.time)), ("finish", .control(.finish)), ("dataConnected", .dataConnected),
        ("dataAccepted", .dataAccepted), ("dataFailed", .dataFailed(FlowEnding(outcome: .refused))),
        ("dataReadable", .dataReadable),
    ]

    /// Lines of the server, or inputs, that lead to a phase; the time passes 1 ms with each.
    private static let paths: [String: [String]] = [
        "connecting": [],
        "loggingIn": ["connected"],
        "idle": logIn,
        "agreeing": logIn + ["time"],
        "agreed": logIn + ["time", "227 (192,0,2,7,4,1)"],
        "opening": logIn + ["time", "227 (192,0,2,7,4,1)", "time"],
        "transferring": logIn + ["time", "227 (192,0,2,7,4,1)", "time", "dataConnected"],
        "ended": ["dataFailed"],
    ]

    private static let logIn = ["connected", "220 a", "331 b", "230 c", "200 d"]

    /// Besides `dataFailed`, which ends each: what an input changes, long before the timeout.
    private static let transitions: [String: [String: String]] = [
        "connecting": ["connected": "loggingIn"], "idle": ["time": "agreeing"], "agreed": ["time": "opening"],
        "opening": ["dataConnected": "transferring", "dataAccepted": "transferring"],
    ]

    private func transfer(to phase: String) -> (model: TransferModel, transport: PlayedTransport, now: Int) {
        var model = TransferModel(
            playedProgram(.ftp, transfer: FileTransfer(mode: .passive, bytes: 10)), offset: .zero, at: playedTime(0))
        var (transport, now) = (PlayedTransport(), 0)
        for step in Self.paths[phase] ?? [] {
            now += 1
            if let known = Self.inputs.first(where: { $0.name == step }) {
                _ = model.step(known.input, at: playedTime(now), over: &transport)
            } else {
                transport.incoming = [Array("\(step)\r\n".utf8)]
                _ = model.step(.control(.readable), at: playedTime(now), over: &transport)
            }
        }
        return (model, transport, now)
    }

    @Test func `a file transfer`() {
        for phase in Self.paths.keys {
            for (name, input) in Self.inputs {
                var (model, transport, now) = transfer(to: phase)
                #expect(Self.name(model.phase) == phase)
                let before = model
                let events = model.step(input, at: playedTime(now + 1), over: &transport)
                let ends = name == "dataFailed" ? "ended" : nil
                let expected = ends ?? Self.transitions[phase]?[name] ?? phase
                #expect(Self.name(model.phase) == expected, "\(phase): \(name)")
                let hasEnded = events.contains { if case .ended = $0 { true } else { false } }
                #expect(hasEnded == (expected == "ended" && phase != "ended"), "\(phase): \(name)")
                if phase == "ended" { #expect(model == before && events.isEmpty, "\(name)") }
            }
        }
    }

    @Test(arguments: ["connecting", "loggingIn", "idle", "agreeing", "agreed", "opening", "transferring"])
    func `a file transfer that nobody answers times out in every phase`(_ phase: String) {
        var (model, transport, _) = transfer(to: phase)
        var rounds = 0
        while let deadline = model.deadline, rounds < 20 {
            _ = model.step(.control(.time), at: deadline, over: &transport)
            rounds += 1
        }
        #expect(model.phase == .ended && rounds < 20)
    }
}
