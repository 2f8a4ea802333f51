import EventLoop
import LabTime
import Measurement
import Testing
import Wire

@testable import Traffic

@Suite(.serialized) struct `Command traffic` {
    /// Commands that a test plays.
    final class PlayedCommands: CommandStarter {
        final class Run: StartedCommand {
            let number: Int
            let words: [String]
            var signals: [String] = []
            private let onEnd: (CommandEnd) -> Void
            /// What is found where somebody looks.
            var unseen: CommandEnd?

            init(_ number: Int, _ words: [String], onEnd: @escaping (CommandEnd) -> Void) {
                (self.number, self.words, self.onEnd) = (number, words, onEnd)
            }

            func end(_ end: CommandEnd) { onEnd(end) }
            func terminate() { signals.append("TERM") }
            func kill() { signals.append("KILL") }

            func lookForEnd() {
                guard let end = unseen else { return }
                unseen = nil
                onEnd(end)
            }
        }

        private(set) var runs: [Run] = []
        var refusal: CommandStartError?
        private(set) var refusals = 0
        var onStart: (Run) -> Void = { _ in }

        func start(
            _ words: [String], run: Int, onEnd: @escaping (CommandEnd) -> Void
        ) throws(CommandStartError) -> any StartedCommand {
            if let refusal {
                refusals += 1
                throw refusal
            }
            let started = Run(run, words, onEnd: onEnd)
            runs.append(started)
            onStart(started)
            return started
        }
    }

    let bench: LoopbackBench
    let commands = PlayedCommands()

    init() throws { bench = try LoopbackBench() }

    private func program(
        flows: Int = 1, every: Duration = .milliseconds(5), timeout: Duration = .seconds(60), count: Int? = nil
    ) -> TrafficProgram {
        bench.program(
            .command, port: 80, flows: flows, every: every, timeout: timeout,
            options: CommandTraffic(["curl", "-v"], count: count))
    }

    /// Each run ends in the next turn of the loop.
    private func end(_ end: CommandEnd) {
        commands.onStart = { [bench] run in bench.loop.schedule(after: .zero) { run.end(end) } }
    }

    @Test func `a count limits the runs, and each is a flow with its figures`() {
        end(CommandEnd(exit: 0, output: "x"))
        bench.start(program(count: 3), commands: commands)
        bench.run { commands.runs.count == 3 && bench.ended.count == 3 }
        bench.run(for: .milliseconds(30))
        let result = bench.finish()
        #expect(commands.runs.map(\.number) == [1, 2, 3] && commands.runs[0].words == ["curl", "-v"])
        #expect(result.flows.count == 3 && result.totals.received == 3 && result.totals.outcome == .survived)
        #expect(result.flows[0].source == .ipv4(.loopback) && result.flows[0].sourcePort == 0)
        #expect(result.flows[0].exit == 0 && result.skipped == 0)
    }

    @Test func `flows begin beside each other`() {
        end(CommandEnd(exit: 3))
        bench.start(program(flows: 4, count: 2), commands: commands)
        bench.run { bench.ended.count == 8 }
        let result = bench.finish()
        #expect(result.flows.count == 8 && result.totals.outcome == .failed && result.totals.lost == 8)
    }

    @Test func `runs go on beside one that hangs, up to a bound, and finishing waits for it`() {
        bench.start(program(every: .milliseconds(1)), commands: commands)
        bench.run { commands.runs.count == CommandTraffic.mostAtOnce }
        bench.run(for: .milliseconds(20))
        #expect(commands.runs.count == CommandTraffic.mostAtOnce && !bench.isReady)
        bench.loop.schedule(after: .milliseconds(10)) { [commands] in
            for run in commands.runs { run.end(CommandEnd(exit: 0)) }
        }
        let result = bench.finish()
        #expect(result.flows.count == CommandTraffic.mostAtOnce && result.totals.outcome == .survived)
        #expect(result.skipped > 0 && result.problem == "\(CommandTraffic.mostAtOnce) probes are open already")
        #expect(bench.isReady)
    }

    @Test func `a run that takes too long is ended, and its flow with it`() {
        commands.onStart = { [bench] run in
            bench.loop.schedule(after: .milliseconds(40)) {
                if run.signals == ["TERM"] { run.end(CommandEnd(exit: 143, signal: "signal 15 (Terminated)")) }
            }
        }
        bench.start(program(timeout: .milliseconds(10), count: 1), commands: commands)
        bench.run { !bench.ended.isEmpty }
        #expect(bench.ended[0].outcome == .timedOut && commands.runs[0].signals == ["TERM"])
    }

    @Test func `an end that the loop has not seen yet counts when the time is over`() {
        commands.onStart = { $0.unseen = CommandEnd(exit: 0) }
        bench.start(program(timeout: .milliseconds(10), count: 1), commands: commands)
        bench.run { !bench.ended.isEmpty }
        #expect(bench.ended[0].outcome == .survived && commands.runs[0].signals.isEmpty)
    }

    /// That says nothing about the lab.
    @Test func `what cannot be started is skipped, run by run`() {
        commands.refusal = CommandStartError("no pipe")
        bench.start(program(count: 2), commands: commands)
        bench.run { commands.refusals == 2 }
        let result = bench.finish()
        #expect(result.flows.isEmpty && result.skipped == 2)
        #expect(result.problem == "could not be started: no pipe")
    }

    @Test func `stopping kills what still runs`() {
        let client = bench.start(program(count: 1), commands: commands)
        bench.run { commands.runs.count == 1 }
        let result = client.stop()
        #expect(commands.runs[0].signals == ["KILL"] && result.flows.count == 1)
    }
}
