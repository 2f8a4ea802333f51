internal import ArgumentParser
internal import Foundation
internal import LabRuntime
internal import Report
internal import Topology

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Evaluates a saved run again, from its captures; needs no privileges.")

    @Argument(
        help: ArgumentHelp(
            "A run's folder, or that of one variant: runs/fast-path-mac-failover/latest", valueName: "run"))
    var saved: String

    @Option(help: "Evaluate the expectations of this lab file instead of the run's own.")
    var lab: String?

    @OptionGroup var output: OutputOptions

    func run() throws {
        let parts = SavedRun.parts(below: saved)
        let missing = SavedRun.missing(below: saved, besides: parts)
        guard !(parts + missing).isEmpty else {
            throw Complaint(
                text: "failoverlab: '\(saved)' is not a run folder: neither it nor a folder in it has events.jsonl",
                exitCode: 2)
        }
        let other = try lab.map { try LabArgument.load($0, isPlayed: false) }
        var (name, title) = ("", nil as String?)
        // A damaged variant does not affect the others.
        var judgements = try parts.map { part in
            let read: Lab
            do {
                read = try LabArgument.load(saved: part.folder.lab)
            } catch let complaint as Complaint {
                return Judgement(of: part, damaged: complaint.text)
            }
            if name.isEmpty { (name, title) = (read.name, read.title) }
            guard var variant = read.variants.first else {
                return Judgement(of: part, damaged: "'\(part.folder.lab)' has no variant")
            }
            if let other {
                guard let replacement = other.variant(named: variant.name) else {
                    throw VariantSelection.unknown(variant.name, of: other)
                }
                variant.expectations = replacement.expectations
            }
            return Judgement(of: variant, in: part.folder, repetition: part.repetition, supervisor: nil)
        }
        judgements += missing.map {
            Judgement(of: $0, damaged: "the run had this variant, and its folder '\($0.folder.path)' is gone")
        }
        try output.conclude(judgements, named: name.isEmpty ? "unknown" : name, title: title, in: nil)
    }
}
