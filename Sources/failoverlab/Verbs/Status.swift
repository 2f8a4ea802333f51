internal import ArgumentParser
internal import Capture
internal import Foundation
internal import LabRuntime
internal import Report

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shows the labs that are up, their nodes and roles.")

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Option(help: "text or json")
    var format = Format.text

    func run() throws {
        var labs: [LabStatus] = []
        for lab in RunningLab.all() {
            do {
                labs.append(try lab.status())
            } catch {
                // Every other one has ended between being listed and being asked.
                if error.kind == .silent { Console.complain("failoverlab: \(error)") }
            }
        }
        switch format {
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            Console.answer(report: VisibleText.json(String(decoding: try encoder.encode(labs), as: UTF8.self)) + "\n")
        case .text:
            for lab in labs {
                let run = lab.run.map { "  of the run with process \($0)" } ?? ""
                Console.answer(line: "\(lab.id)  \(lab.state)  since \(lab.since)\(run)")
                Console.answer(line: "  \(lab.folder)")
                if let captures = lab.captures { Console.answer(line: "  captures: \(Self.words(captures))") }
                let nameWidth = lab.nodes.map(\.name.count).max() ?? 0
                let roleWidth = lab.nodes.map(\.role.count).max() ?? 0
                let stateWidth = lab.nodes.map(\.state.count).max() ?? 0
                for node in lab.nodes {
                    Console.answer(
                        line: "  " + node.name.padded(to: nameWidth) + "  " + node.role.padded(to: roleWidth) + "  "
                            + node.state.padded(to: stateWidth) + "  " + node.interfaces.joined(separator: ", "))
                }
            }
            if labs.isEmpty { Console.complain("No lab is up.") }
        }
    }

    /// `1.2 MiB of 1 GiB`
    private static func words(_ volume: CaptureVolume) -> String {
        let held = ByteCount(bytes: volume.bytes)
        guard let limit = volume.limit else { return "\(held)" }
        let words = "\(held) of \(ByteCount(bytes: limit.bytes))"
        guard volume.leftOut > 0 else { return words }
        switch limit.policy {
        case .keepsFirst: return words + "; \(volume.leftOut) frames that came later were left out"
        case .keepsNewest: return words + "; the oldest \(volume.leftOut) frames were removed"
        }
    }
}
