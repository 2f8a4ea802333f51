internal import ArgumentParser
internal import LabRuntime

struct Exec: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs a program inside a node: failoverlab exec lb -- ip addr")

    @OptionGroup var lab: LabOption

    @Argument(help: "The node.")
    var node: String

    @Argument(parsing: .postTerminator, help: "The program and its arguments, after --")
    var command: [String]

    func validate() throws {
        if command.isEmpty { throw ValidationError("Name a program to run: failoverlab exec \(node) -- ip addr") }
    }

    func run() throws { try lab.running().execute(command, in: node) }
}
