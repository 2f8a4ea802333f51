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
        let judgements = try folders.map { folder in
            let read = try LabArgument.load(folder.lab, isPlayed: false)
            (name, title) = (read.name, read.title)
            guard var variant = read.variants.first else {
                throw Complaint(text: "failoverlab: '\(folder.lab)' has no variant", exitCode: 2)
            }
            if let other {
                guard let replacement = other.variant(named: variant.name) else {
                    throw Complaint(text: VariantSelection.unknown(variant.name, of: other), exitCode: 2)
                }
                variant.expectations = replacement.expectations
            }
            return Judgement(of: variant, in: folder, supervisor: nil)
        }
        try output.conclude(judgements, named: name, title: title, in: nil)
    }
}

/// Folders of variants in a saved run: the run's own, those of its repetitions, or one variant's.
enum SavedRun {
    static func folders(below path: String) -> [RunFolder] {
        if isVariant(path) { return [RunFolder(path)] }
        let inner = folders(in: path)
        return
            (inner.filter(isVariant)
            + inner.filter { Int(($0 as NSString).lastPathComponent) != nil }
            .flatMap { folders(in: $0).filter(isVariant) }).map { RunFolder($0) }
    }

    private static func isVariant(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path + "/lab.yaml")
            && FileManager.default.fileExists(atPath: path + "/captures")
    }

    private static func folders(in path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted().map { "\(path)/\($0)" }
    }
}
