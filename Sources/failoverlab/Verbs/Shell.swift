internal import ArgumentParser
internal import Foundation
internal import LabRuntime

struct Shell: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Opens a shell inside a node.")

    @OptionGroup var lab: LabOption

    @Argument(help: "The node.")
    var node: String

    func run() throws {
        let shell = ProcessInfo.processInfo.environment["SHELL"] ?? "/bin/sh"
        try lab.running().execute([shell], in: node, substitute: "/bin/sh")
    }
}
