internal import Appliances
internal import ArgumentParser
internal import Foundation
internal import LabRuntime
internal import LabTime
internal import Report

struct Connections: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows the connections of a firewall, gateway firewall or load balancer.",
        discussion: """
            One connection per line. For a gateway firewall in the notation of the product, followed by the interface, \
            the timer that will end it and the time left: \
            10.0.0.3:443 -> 10.0.0.1:4000 dir in protocol tcp state CLOSING:CLOSED. \
            For a firewall pair its sessions; for a load balancer its sessions with their translation, and the \
            connections of its proxies and HTTP services as reported by its kernel.
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
            let table = String(decoding: try encoder.encode(Table(list)), as: UTF8.self)
            Console.answer(report: VisibleText.json(table) + "\n")
        case .text:
            let lines = list.connections.map(\.description)
            let width = lines.map(\.count).max() ?? 0
            for (line, connection) in zip(lines, list.connections) {
                let place = connection.interface.map { "on \($0)" }
                let left = connection.remaining.map {
                    (connection.timer.map { "\($0) " } ?? "") + String(format: "%.1f s", $0.milliseconds / 1000)
                }
                let more = [place, left].compactMap(\.self)
                Console.answer(
                    line: more.isEmpty ? line : line.padded(to: width) + "  " + more.joined(separator: "  "))
            }
            if list.total == 0 { Console.complain("'\(node)' has no connections.") }
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
        var direction: String?
        var `protocol`: String
        var state: String
        var interface: String?
        var timer: String?
        var remainingMilliseconds: Double?
        var translated: String?
    }

    var total: Int
    var connections: [Row]

    init(_ list: ConnectionList) {
        total = list.total
        connections = list.connections.map {
            Row(
                source: $0.source, destination: $0.destination, direction: $0.direction, protocol: $0.protocol,
                state: $0.state, interface: $0.interface, timer: $0.timer,
                remainingMilliseconds: $0.remaining?.milliseconds,
                translated: $0.translated)
        }
    }
}
