internal import Appliances
internal import ArgumentParser
internal import Foundation
internal import LabRuntime

struct Connections: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows the connection table of a gateway firewall.",
        discussion: """
            One connection a line, in the notation of the product, then the timer that will end it and the time left: \
            10.0.0.3:443 -> 10.0.0.1:4000 dir in protocol tcp state CLOSING:CLOSED
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @OptionGroup var lab: LabOption

    @Option(help: "text or json")
    var format = Format.text

    @Argument(help: "The node.")
    var node: String

    func run() throws {
        let list = try lab.running().connections(of: node)
        switch format {
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            Console.answer(String(decoding: try encoder.encode(list), as: UTF8.self) + "\n")
        case .text:
            let lines = list.connections.map(\.description)
            let width = lines.map(\.count).max() ?? 0
            for (line, connection) in zip(lines, list.connections) {
                let milliseconds = connection.remaining.components.seconds * 1000
                    + connection.remaining.components.attoseconds / 1_000_000_000_000_000
                let left = String(format: "%.1f s", Double(milliseconds) / 1000)
                Console.answer(
                    line.padded(to: width) + "  on \(connection.interface)  \(connection.timer) \(left)\n")
            }
            if list.total == 0 { Console.complain("'\(node)' knows no connection.") }
        }
        let more = list.total - list.connections.count
        if more > 0 { Console.complain("\(more) more are not shown.") }
    }
}
