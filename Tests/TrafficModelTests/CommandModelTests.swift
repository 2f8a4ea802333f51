import LabTime
import Measurement
import Testing

@testable import TrafficModel

/// A run of a command in virtual time, with a timeout of 100 ms.
struct CommandModelTests {
    private static func model(_ command: CommandTraffic = CommandTraffic(["x"])) -> CommandModel {
        CommandModel(playedProgram(.command, options: command), at: playedTime(0))
    }

    private static func ending(_ events: [CommandEvent]) -> FlowEnding? {
        guard case .ended(let ending)? = events.last, events.count == 1 else { return nil }
        return ending
    }

    /// How a run that ends after 30 ms ends.
    private static func ending(_ command: CommandTraffic, _ end: CommandEnd) -> FlowEnding? {
        var model = model(command)
        return ending(model.step(.ended(end), at: playedTime(30)))
    }

    @Test func `it succeeds with its exit code, after a time`() {
        var model = Self.model()
        #expect(model.deadline == playedTime(100))
        #expect(model.step(.time, at: playedTime(99)).isEmpty && model.step(.finish, at: playedTime(99)).isEmpty)
        #expect(Self.ending(model.step(.ended(CommandEnd(exit: 0)), at: playedTime(99))) == .survived)
        let figures = model.figures(at: playedTime(99), .survived)
        #expect(figures.reading.sent == 1 && figures.reading.received == 1 && figures.reading.lost == 0)
        #expect(figures.latency == .milliseconds(99) && figures.exit == 0 && figures.values == nil)
        #expect(model.deadline == nil)
    }

    @Test(arguments: [
        (
            CommandEnd(exit: 7, output: "a\ncurl: (7) refused\n \n"),
            "exited with code 7, not 0; its last line is 'curl: (7) refused'"
        ),
        (CommandEnd(exit: 1), "exited with code 1, not 0; it printed nothing"),
        (
            CommandEnd(exit: 139, signal: "signal 11 (Segmentation fault)", output: "x"),
            "was killed by signal 11 (Segmentation fault); its last line is 'x'"
        ),
    ])
    func `another exit code or a signal is a failure, and a loss`(end: CommandEnd, reason: String) {
        var model = Self.model()
        let ending = Self.ending(model.step(.ended(end), at: playedTime(10)))
        #expect(ending == FlowEnding(outcome: .failed, reason: reason))
        let figures = model.figures(at: playedTime(10), ending ?? .survived)
        #expect(figures.reading.received == 0 && figures.reading.lost == 1 && figures.latency == nil)
        #expect(figures.exit == end.exit)
    }

    @Test func `other exit codes are allowed, that of a signal as well`() {
        let command = CommandTraffic(["x"], exits: [7, 137])
        #expect(Self.ending(command, CommandEnd(exit: 7)) == .survived)
        #expect(Self.ending(command, CommandEnd(exit: 137, signal: "signal 9 (Killed)")) == .survived)
        #expect(
            Self.ending(command, CommandEnd(exit: 0))?.reason == "exited with code 0, not 7 or 137; it printed nothing")
    }

    @Test func `its output must match, at the beginning of any line`() {
        let command = CommandTraffic(["x"], output: "^status: NOERROR")
        #expect(Self.ending(command, CommandEnd(exit: 0, output: "x\nstatus: NOERROR, id")) == .survived)
        #expect(
            Self.ending(command, CommandEnd(exit: 0, output: ";; status: NOERROR\n"))
                == FlowEnding(
                    outcome: .failed,
                    reason: "its output does not match '^status: NOERROR'; its last line is ';; status: NOERROR'"))
    }

    @Test func `values are numbers of its output, the last of each name`() {
        let command = CommandTraffic(
            ["x"],
            values: [
                .init(name: "rate", pattern: #"Requests/sec: +(?<value>[\d.]+)"#),
                .init(name: "loss", pattern: "(?<value>-?[0-9a-z.]+)%"),
                .init(name: "absent", pattern: "no (?<value>x)"),
            ])
        func values(_ output: String, exit: Int = 0) -> [String: Double]? {
            var model = Self.model(command)
            let ending = Self.ending(model.step(.ended(CommandEnd(exit: exit, output: output)), at: playedTime(10)))
            return model.figures(at: playedTime(10), ending ?? .survived).values
        }
        #expect(values("Requests/sec: 1\nRequests/sec:  1290.5\n0.5%") == ["rate": 1290.5, "loss": 0.5])
        #expect(values("Requests/sec: 3\n", exit: 1) == ["rate": 3], "also of a run that failed")
        #expect(values("Requests/sec: 1.2.3\nnan% no x") == [:], "what is no number is none")
        #expect(values("1e300%") == [:] && values("") == [:])
    }

    @Test func `what takes too long gets SIGTERM, then SIGKILL, and has timed out in any case`() {
        func overdue(_ step: CommandInput?, after milliseconds: Int) -> String? {
            var model = Self.model()
            #expect(model.step(.time, at: playedTime(100)) == [.terminate])
            #expect(model.deadline == playedTime(1100))
            if milliseconds >= 1100 {
                #expect(model.step(.time, at: playedTime(1099)).isEmpty)
                #expect(model.step(.time, at: playedTime(1100)) == [.kill])
                #expect(model.deadline == playedTime(2100))
            }
            let ending = Self.ending(model.step(step ?? .time, at: playedTime(milliseconds)))
            #expect(ending?.outcome == .timedOut)
            #expect(model.figures(at: playedTime(milliseconds), ending ?? .survived).exit == nil)
            return ending?.reason
        }
        let end = CommandEnd(exit: 143, signal: "signal 15 (Terminated)", output: "y")
        #expect(
            overdue(.ended(end), after: 500)
                == "did not end within 0.1 seconds, and was ended by SIGTERM; its last line is 'y'")
        #expect(overdue(.ended(CommandEnd(exit: 0)), after: 500)?.hasSuffix("by SIGTERM; it printed nothing") == true)
        #expect(
            overdue(.ended(end), after: 1500)
                == "did not end within 0.1 seconds, did not end after SIGTERM, and was killed; its last line is 'y'")
        #expect(
            overdue(nil, after: 2100)
                == "did not end within 0.1 seconds, and neither SIGTERM nor SIGKILL has ended it")
    }

    /// Every phase meets every input; what is not in this table changes nothing.
    @Test func `a run has one end, and ignores what comes after it`() {
        let inputs: [(name: String, input: CommandInput)] = [
            ("ended", .ended(CommandEnd(exit: 0))), ("time", .time), ("finish", .finish),
        ]
        let paths: [(phase: String, steps: [Int])] = [
            ("running", []), ("terminating", [100]), ("killed", [100, 1100]), ("ended", [100, 1100, 2100]),
        ]
        let expected: [String: [String: String]] = [
            "running": ["ended": "ended"], "terminating": ["ended": "ended"],
            "killed": ["ended": "ended"], "ended": [:],
        ]
        func name(_ phase: CommandModel.Phase) -> String {
            switch phase {
            case .running: "running"
            case .terminating: "terminating"
            case .killed: "killed"
            case .ended: "ended"
            }
        }
        for (phase, steps) in paths {
            for (input, step) in inputs {
                var model = Self.model()
                for time in steps { _ = model.step(.time, at: playedTime(time)) }
                #expect(name(model.phase) == phase)
                let events = model.step(step, at: playedTime((steps.last ?? 0) + 1))
                let next = expected[phase]?[input]
                #expect(name(model.phase) == next ?? phase, "\(phase) meets \(input)")
                #expect(events.count == (next == nil ? 0 : 1), "\(phase) meets \(input)")
            }
        }
    }
}
