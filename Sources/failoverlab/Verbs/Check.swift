internal import ArgumentParser
internal import Foundation
internal import LabRuntime
internal import Report
internal import Topology

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Judges a saved run again, from its captures; needs no privileges.")

    @Argument(
        help: ArgumentHelp(
            "A run's folder, or that of one variant: runs/fast-path-mac-failover/latest", valueName: "run"))
    var saved: String

    @Option(help: "Judge by this lab file's expectations instead of the ones that the run was made with.")
    var lab: String?

    @OptionGroup var output: OutputOptions

    func run() throws {
        let folders = SavedRun.folders(below: saved)
        guard !folders.isEmpty else {
            throw Complaint(text: "failoverlab: '\(saved)' is no run's folder: there is no lab.yaml in it", exitCode: 2)
        }
        let other = try lab.map { try LabArgument.load($0, isPlayed: false) }
        var (name, title) = ("", "")
        let judgements = try folders.map { repetition, folder in
            let read = try LabArgument.load(folder.lab, isPlayed: false)
            (name, title) = (read.name, read.title)
            guard var variant = read.variants.first else {
                throw Complaint(text: "failoverlab: '\(folder.lab)' has no variant", exitCode: 2)
            }
            if let other {
                guard let replacement = other.variant(named: variant.name) else {
                    throw VariantSelection.unknown(variant.name, of: other)
                }
                variant.expectations = replacement.expectations
            }
            return Judgement(of: variant, in: folder, repetition: repetition, supervisor: nil)
        }
        try output.conclude(judgements, named: name, title: title, in: nil)
    }
}
