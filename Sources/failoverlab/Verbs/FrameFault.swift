internal import ArgumentParser
internal import Topology

/// The options of `fail` that select single frames. They are read as a part of a lab file, so that both know the
/// same faults and report the same mistakes.
struct FrameFault: ParsableArguments {
    /// What can happen to a frame.
    static let words = FaultActionForms.words

    @Option(help: "Only frames that match this libpcap filter.")
    var match: String?

    @Option(name: .customLong("class"), help: "syn, syn-ack, fin, rst, data, ack or retransmission.")
    var segment: String?

    @Option(help: "from-NODE or to-NODE, with a node at an end of the cable.")
    var direction: String?

    @Option(help: "first, '{ nth: 3 }', '{ every: 5 }' or '{ from: 2 }'.")
    var occurrence: String?

    @Flag(help: "Count occurrences in each flow separately.")
    var eachFlow = false

    @Option(help: "Act on at most this many frames.")
    var count: String?

    @Option(help: "What releases a held frame: 500ms, 'class: syn, same-flow: on', 'event: failover'.")
    var until: String?

    @Flag(help: "Forward the frame, and hold a copy of it.")
    var copy = false

    init() {}

    /// An option that was given; nil where none was.
    var given: String? {
        let options: [(String, Bool)] = [
            ("--match", match != nil), ("--class", segment != nil), ("--direction", direction != nil),
            ("--occurrence", occurrence != nil), ("--each-flow", eachFlow), ("--count", count != nil),
            ("--until", until != nil), ("--copy", copy),
        ]
        return options.first { $0.1 }?.0
    }

    /// The fault as a lab file has it: `drop: { on: lb.servers, class: fin, times: 1, do: drop }`
    func text(_ word: String, on cable: String, value: String?, name: String) throws -> String {
        var keys = ["on: \(Self.quoted(cable))"]
        for (key, text) in [("match", match), ("class", segment), ("direction", direction)] {
            if let text { keys.append("\(key): \(Self.quoted(text))") }
        }
        if let occurrence { keys.append("occurrence: \(occurrence)") }
        if eachFlow { keys.append("each-flow: on") }
        if let count { keys.append("times: \(Self.quoted(count))") }
        var action = value
        if word == "hold", value == nil {
            var parts = ["copy: \(copy ? "on" : "off")"]
            if let until {
                parts.append("until: " + (until.contains(":") && !until.hasPrefix("{") ? "{ \(until) }" : until))
            }
            action = "{ \(parts.joined(separator: ", ")) }"
        } else if copy || until != nil {
            throw Complaint(
                text: "failoverlab: \(copy ? "--copy" : "--until") is for hold, without a further value", exitCode: 2)
        }
        keys.append("do: " + (action.map { "{ \(word): \($0) }" } ?? word))
        return "\(Self.quoted(name)): { \(keys.joined(separator: ", ")) }\n"
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
