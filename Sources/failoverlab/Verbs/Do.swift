internal import ArgumentParser
internal import LabRuntime
internal import Topology

/// A step of a scenario, carried out in a lab that is up. It is passed on as a part of a lab file, so that both know
/// the same steps and report the same mistakes.
struct Do: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Carries a step of a scenario out in a running lab.",
        discussion: LiveSteps.examples.map { "failoverlab do \($0)" }.joined(separator: " · ")
            + "\n\nSteps and their words are those of a lab file's scenario. For faults there is 'fail'.")

    @OptionGroup var lab: LabOption

    @Argument(help: "\(LiveSteps.words.joined(separator: ", "))")
    var step: String

    @Argument(help: "The node, NODE.INTERFACE of 'address', NODE/PROGRAM of 'signal' and 'restart'.")
    var target: String

    @Argument(help: "What is to be done there. A command of 'exec' in one word is a line for the shell.")
    var words: [String] = []

    @Option(name: .customLong("as"), help: "The event's name in events.jsonl (default: the step).")
    var name: String?

    @Option(help: "Of 'exec': the exit code that the command must have (default: 0).")
    var exit: String?

    @Option(help: "Of 'exec': the time that the command may take, such as 500ms (default: 10s).")
    var within: String?

    @Option(help: "Of 'signal': whether the program's end is expected from now on, on or off.")
    var ends: String?

    func run() throws { try lab.running().carryOut(step: text) }

    /// `{ "sysctl": { "web": ["net.ipv4.ip_forward=0"] }, "as": "cure" }`
    private var text: String {
        let done =
            words.count == 1 ? Self.quoted(words[0]) : "[\(words.map(Self.quoted).joined(separator: ", "))]"
        let what = words.isEmpty ? Self.quoted(target) : "{ \(Self.quoted(target)): \(done) }"
        var keys = ["\(Self.quoted(step)): \(what)"]
        for (key, value) in [("as", name), ("exit", exit), ("within", within), ("ends", ends)] {
            if let value { keys.append("\(key): \(Self.quoted(value))") }
        }
        return "{ \(keys.joined(separator: ", ")) }\n"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
