internal import ArgumentParser
internal import Foundation
internal import LabRuntime

struct LabOption: ParsableArguments {
    @Option(name: .customLong("lab"), help: "Which lab, where more than one is up: its name or id.")
    var name: String?

    func running() throws -> RunningLab { try RunningLab.named(name) }
}

struct Down: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ends a lab and waits until the kernel has reclaimed it; captures stay.")

    @Flag(help: "Every lab of this user.")
    var all = false

    @Argument(help: "The lab's name or id; not needed where only one is up.")
    var lab: String?

    func run() throws {
        if all {
            var failures: [LabFailure] = []
            for lab in RunningLab.all() {
                do {
                    try lab.down()
                } catch {
                    // One that has ended meanwhile is down as well.
                    if RunningLab.all().contains(lab) { failures.append(error) }
                }
            }
            if let first = failures.first { throw first }
        } else {
            try RunningLab.named(lab).down()
        }
    }
}

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shows the labs that are up, their nodes and roles.")

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Option(help: "text or json")
    var format = Format.text

    func run() throws {
        // A lab may end between being listed and being asked.
        let labs = RunningLab.all().compactMap { try? $0.status() }
        switch format {
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            Console.answer(String(decoding: try encoder.encode(labs), as: UTF8.self) + "\n")
        case .text:
            for lab in labs {
                Console.answer("\(lab.id)  \(lab.state)  since \(lab.since)\n  \(lab.folder)\n")
                let nameWidth = lab.nodes.map(\.name.count).max() ?? 0
                let roleWidth = lab.nodes.map(\.role.count).max() ?? 0
                let stateWidth = lab.nodes.map(\.state.count).max() ?? 0
                for node in lab.nodes {
                    Console.answer(
                        "  " + node.name.padded(to: nameWidth) + "  " + node.role.padded(to: roleWidth) + "  "
                            + node.state.padded(to: stateWidth) + "  " + node.interfaces.joined(separator: ", ") + "\n")
                }
            }
            if labs.isEmpty { Console.complain("No lab is up.") }
        }
    }
}

struct Exec: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs a program inside a node: failoverlab exec lb -- ip addr")

    @OptionGroup var lab: LabOption

    @Argument(help: "The node.")
    var node: String

    @Argument(parsing: .postTerminator, help: "The program and its arguments, after --")
    var command: [String]

    func validate() throws {
        if command.isEmpty { throw ValidationError("Say what to run: failoverlab exec \(node) -- ip addr") }
    }

    func run() throws { try lab.running().execute(command, in: node) }
}

struct Shell: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Opens a shell inside a node.")

    @OptionGroup var lab: LabOption

    @Argument(help: "The node.")
    var node: String

    func run() throws {
        let shell = ProcessInfo.processInfo.environment["SHELL"] ?? "/bin/sh"
        try lab.running().execute([shell], in: node)
    }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
