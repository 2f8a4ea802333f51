internal import EventLoop
internal import Glibc
internal import Measurement
internal import Topology
internal import Traffic

/// Runs the commands of a traffic program in its node, each in the sandbox that the node's programs have, and logs what
/// they print.
final class TrafficCommands: CommandStarter {
    /// Bytes of a run's output that are kept, of its first and of its newest part.
    private static let kept = 32_768

    private let program: String
    private let node: Node
    private let image: NodeImage?
    private let log: Int32
    private let process: NodeProcess

    /// - Parameter log: where the output of all runs goes, run by run; it stays open
    init(of program: TrafficProgram, node: Node, image: NodeImage?, log: Int32, in process: NodeProcess) {
        self.program = program.name
        self.node = node
        self.image = image
        self.log = log
        self.process = process
    }

    func start(
        _ words: [String], run: Int, onEnd: @escaping (CommandEnd) -> Void
    ) throws(CommandStartError) -> any StartedCommand {
        let began = process.time(of: process.loop.now)
        let title = "failoverlab: run \(run) at \(began): \(words.joined(separator: " "))\n"
        do throws(LabFailure) {
            return try RunningCommand(
                ProgramStart(words, name: program, of: node, image: image),
                keeping: KeptOutput(first: Self.kept, newest: Self.kept), on: process.loop
            ) { [self] end in
                var shown = end.output.shown
                if let last = shown.last, last != UInt8(ascii: "\n") { shown.append(UInt8(ascii: "\n")) }
                write(Array(title.utf8) + shown + Array("failoverlab: run \(run) \(end.child.words)\n".utf8))
                onEnd(CommandEnd(end))
            }
        } catch {
            write(Array("\(title)failoverlab: run \(run) could not be started: \(error.message)\n".utf8))
            throw CommandStartError(error.message)
        }
    }

    private func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(log, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            // Who reads the logs has gone, and so will this process.
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

extension RunningCommand: StartedCommand {}

extension CommandEnd {
    fileprivate init(_ end: RunningCommand.End) {
        var signal: String?
        if case .killed(let number) = end.child { signal = "signal \(number) (\(String(cString: strsignal(number))))" }
        self.init(exit: end.code, signal: signal, output: String(decoding: end.output.bytes, as: UTF8.self))
    }
}
