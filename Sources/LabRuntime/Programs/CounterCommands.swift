internal import Configuration
internal import EventLoop
internal import LabEvents
internal import Topology

/// Reads the counters of a node's programs, by the commands that these have for it.
///
/// A command runs as its program does, confined, and finds the program's folder and the node's `/run`.
final class CounterCommands {
    private let node: Node
    /// Of the programs, by name.
    private let folders: [String: Int32]
    private let run: RunFolder
    private let image: NodeImage?
    private let process: NodeProcess
    /// Why the counters of a program could not be read, as was reported.
    private var problems: [String: String] = [:]

    init(of node: Node, folders: [String: Int32], in run: RunFolder, image: NodeImage?, process: NodeProcess) {
        self.node = node
        self.folders = folders
        self.run = run
        self.image = image
        self.process = process
    }

    /// What is read of several commands.
    private final class Reading {
        var outstanding: Int
        var counters: [CounterReading] = []
        var problem: String?
        let then: ([CounterReading], String?) -> Void

        init(_ outstanding: Int, _ then: @escaping ([CounterReading], String?) -> Void) {
            (self.outstanding, self.then) = (outstanding, then)
        }

        func oneIsOver() {
            outstanding -= 1
            if outstanding == 0 { then(counters, problem) }
        }
    }

    /// Of a command.
    private static let timeout = Duration.seconds(5)
    /// Bytes of its output; what is printed beyond them is passed over.
    private static let mostOutput = 1 << 20

    /// Why there are no counters, as the end of a sentence about the command.
    private struct Problem: Error {
        var text: String
    }

    /// - Parameters:
    ///   - names: of programs; nil for all
    ///   - then: called once, with why counters are missing
    func read(of names: [String]?, then: @escaping ([CounterReading], String?) -> Void) {
        let commands = node.programs.filter { names?.contains($0.name) ?? true }.flatMap { program in
            program.counters.map { (program: program, command: $0) }
        }
        guard !commands.isEmpty else { return then([], nil) }
        let reading = Reading(commands.count, then)
        for (program, command) in commands {
            start(command, of: program) { [self] result in
                let result = result.flatMap { readings($0, command, of: program) }
                switch result {
                case .success(let counters):
                    reading.counters += counters
                    problems[program.name] = nil
                case .failure(let problem):
                    let text =
                        "'\(command.command.joined(separator: " "))' of program '\(program.name)' \(problem.text)"
                    reading.problem = text
                    report(text, of: program.name)
                }
                reading.oneIsOver()
            }
        }
    }

    private func readings(
        _ text: String, _ command: ProgramConfiguration.CounterCommand, of program: ProgramConfiguration
    ) -> Result<[CounterReading], Problem> {
        let output = CounterOutput(program: program.name, command: command)
        let readings = (try? output.readings(in: text)) ?? []
        guard readings.isEmpty else { return .success(readings) }
        let wanted = command.pattern.map { "what matches '\($0)'" } ?? "a line with a name and a number"
        return .failure(.init(text: "printed no counter, \(wanted); \(Self.lastLine(of: text))"))
    }

    private func start(
        _ command: ProgramConfiguration.CounterCommand, of program: ProgramConfiguration,
        then: @escaping (Result<String, Problem>) -> Void
    ) {
        do throws(LabFailure) {
            let start = try ProgramStart(
                ProgramConfiguration(name: program.name, command: command.command, scratch: program.scratch),
                of: node.name, folder: run.folder(of: program.name, on: node.name), image: image)
            _ = try RunningCommand(
                start, folder: folders[program.name], keeping: KeptOutput(first: Self.mostOutput),
                timeout: Self.timeout, on: process.loop
            ) { then(Self.result(of: $0)) }
        } catch {
            then(.failure(Problem(text: "could not be run: \(error)")))
        }
    }

    private static func result(of end: RunningCommand.End) -> Result<String, Problem> {
        if end.isOverdue { return .failure(Problem(text: "did not end within \(timeout)")) }
        let text = String(decoding: end.output.bytes, as: UTF8.self)
        guard end.child == .exited(0) else {
            return .failure(Problem(text: "\(end.child.words); \(lastLine(of: text))"))
        }
        return .success(text)
    }

    /// For a person who looks for what went wrong.
    private static func lastLine(of text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).last { $0.contains { !$0.isWhitespace } }
        return line.map { "its last line is '\($0.prefix(300))'" } ?? "it printed nothing"
    }

    /// Once for each reason: a wait reads many times.
    private func report(_ problem: String, of program: String) {
        guard problems[program] != problem else { return }
        problems[program] = problem
        let kind = EventKind.countersUnread
        process.report(
            .output(
                program: program, event: kind.word, time: process.time(of: process.loop.now),
                details: [EventDetail.program.rawValue: program, EventDetail.reason.rawValue: problem], kind: kind))
    }
}
