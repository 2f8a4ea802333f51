public import Wire

/// A client program that runs for each request, such as curl, dig or wrk: it succeeds where its exit code and its
/// output are what they must be.
public struct CommandTraffic: TrafficKind {
    public static let name = "command"
    public static let summary =
        "any client program, run for each request: curl, dig, wrk, iperf3, openssl, see [below](#kind-command)"
    public static let keys = [
        TrafficKey("run", usual: "required", "the command: a list with each word by itself, or a line for the shell"),
        TrafficKey("protocol", usual: "`tcp`", "transport of its frames to the target: `tcp` or `udp`"),
        TrafficKey("exit", usual: "0", "the exit code with which it succeeds; a list for several"),
        TrafficKey("output", usual: "any", "a pattern that its output must match to succeed"),
        TrafficKey(
            "values", usual: "none",
            "numbers in its output: name → pattern with the group `value`, see [below](#kind-command)"),
        TrafficKey.count,
    ]
    public static let example =
        #"{ from: client, to: "server:80", kind: command, run: [curl, -sS, "http://$to/"], protocol: tcp, exit: [0, 22], output: "^from ", values: { rate: 'Requests/sec: +(?<value>[\d.]+)' }, every: 1s, count: 3 }"#
    public static let server: ServerProgram.Kind? = nil
    public static let hasPort = true
    public static let opensFlowForEachProbe = true
    /// A command is a process, and often several.
    public static let mostFlows = 16
    public static let opensSeveralAtOnce = true
    public static let mostAtOnce = 32
    /// Group of a pattern in `values`.
    public static let valueGroup = "value"
    /// Values beyond are no measurement.
    public static let greatestValue = 1e15

    public enum Carrier: String, Hashable, Sendable, Codable, CaseIterable {
        case tcp, udp
    }

    /// A number in the output.
    public struct Value: Hashable, Sendable, Codable {
        public var name: String
        /// A regular expression; of several matches the last one counts.
        public var pattern: String

        public init(name: String, pattern: String) {
            self.name = name
            self.pattern = pattern
        }
    }

    /// The words of the command; of a line for the shell the shell first.
    public var command: [String]
    public var carrier: Carrier
    /// Exit codes with which it succeeds.
    public var exits: [Int]
    /// What its output must match.
    public var output: String?
    public var values: [Value]
    /// After how many runs of each of its `flows` it ends; nil where it goes on until it is stopped.
    public var count: Int?

    private enum CodingKeys: String, CodingKey {
        case command, exits, output, values, count
        case carrier = "protocol"
    }

    public init(
        _ command: [String], carrier: Carrier = .tcp, exits: [Int] = [0], output: String? = nil, values: [Value] = [],
        count: Int? = nil
    ) {
        self.command = command
        self.carrier = carrier
        self.exits = exits
        self.output = output
        self.values = values
        self.count = count
    }

    public init() { self.init([]) }

    public static func read(_ written: some WrittenTraffic, of program: WrittenProgram) -> Self {
        if !written.has("run") { written.report("kind command needs the key 'run'", atKey: "run", allowed: []) }
        if written.has("payload") {
            written.report(
                "a command makes its requests itself, so there is no 'payload'", atKey: "payload", allowed: [])
        }
        let values = written.patterns("values", group: valueGroup)
        return Self(
            [], carrier: written.choice("protocol", as: Carrier.self) ?? .tcp,
            exits: written.integers("exit", in: 0...255, most: 16) ?? [0], output: written.pattern("output"),
            values: values.map { Value(name: $0.name, pattern: $0.pattern) },
            count: written.integer(TrafficKey.count.name, in: 1...1_000_000) ?? (written.has("every") ? nil : 1))
    }

    /// `$to`, `$to.address` and `$to.port` of the command are the target's.
    public mutating func accept(_ target: TrafficTarget, _ written: some WrittenTraffic) -> Bool {
        let own = ["to": target.endpoint, "to.address": "\(target.address)", "to.port": "\(target.port)"]
        guard let command = written.command("run", replacing: own) else { return false }
        self.command = command
        return true
    }

    /// A command that is to fail may have had no answer.
    public var trace: AnswerTrace { .frames(answered: exits.contains(0)) }
    public var transport: IPProtocol? { carrier == .tcp ? .tcp : .udp }
    public var numbers: [(name: String, value: Int)] {
        exits.map { ("exits", $0) } + (count.map { [("count", $0)] } ?? [])
    }
}

extension TrafficProgram.Kind {
    public static let command = Self(CommandTraffic.self)
}
