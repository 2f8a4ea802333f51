internal import Appliances
internal import ArgumentParser
internal import Foundation
internal import LabRuntime
internal import LabTime

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
            Console.answer(String(decoding: try encoder.encode(Table(list)), as: UTF8.self) + "\n")
        case .text:
            let lines = list.connections.map(\.description)
            let width = lines.map(\.count).max() ?? 0
            for (line, connection) in zip(lines, list.connections) {
                let left = String(format: "%.1f s", connection.remaining.milliseconds / 1000)
                Console.answer(
                    line.padded(to: width) + "  on \(connection.interface)  \(connection.timer) \(left)\n")
            }
            if list.total == 0 { Console.complain("'\(node)' knows no connection.") }
        }
        let more = list.total - list.connections.count
        if more > 0 { Console.complain("\(more) more are not shown.") }
    }
}

/// The table as JSON.
private struct Table: Encodable {
    struct Row: Encodable {
        var source: String
        var destination: String
        var direction: String
        var `protocol`: String
        var state: String
        var interface: String
        var timer: String
        var remainingMilliseconds: Double
    }

    var total: Int
    var connections: [Row]

    init(_ list: ConnectionList) {
        total = list.total
        connections = list.connections.map {
            Row(
                source: $0.source, destination: $0.destination, direction: $0.direction, protocol: $0.protocol,
                state: $0.state, interface: $0.interface, timer: $0.timer,
                remainingMilliseconds: $0.remaining.milliseconds)
        }
    }
}
