internal import ArgumentParser
internal import Foundation
internal import Glibc
internal import LabRuntime
internal import Report

/// How an answer is printed, and what it makes of the exit code.
struct OutputOptions: ParsableArguments {
    @Option(
        help: "\(ReportFormat.allCases.map(\.rawValue).joined(separator: ", "))",
        transform: {
            guard let format = ReportFormat(rawValue: $0) else {
                let formats = ReportFormat.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("there is no format '\($0)'; there are \(formats)")
            }
            return format
        })
    var format = ReportFormat.text

    /// Prints the report, writes `verdict.json` for the lab and for each variant, and exits with its code.
    /// - Parameter folder: the run's folder; nil leaves a saved run's files as they are
    func conclude(
        _ judgements: [Judgement], named lab: String, title: String?, in folder: String?
    ) throws -> Never {
        let verdict = Verdict(lab: lab, title: title, variants: judgements.map(\.variant))
        var failures = Set(judgements.compactMap(\.failure))
        if let folder {
            // A full disk does not prevent the answer.
            func write(_ verdict: Verdict, to path: String) throws {
                do {
                    try RunFolder.write(Array(try verdict.json().utf8), to: path)
                } catch let failure as LabFailure {
                    failures.insert(failure)
                }
            }
            try write(verdict, to: "\(folder)/verdict.json")
            do {
                try RunFolder.write(Array(try HTMLReport().text(verdict).utf8), to: "\(folder)/report.html")
            } catch let failure as LabFailure {
                failures.insert(failure)
            }
            for judgement in judgements where judgement.folder.exists {
                try write(
                    Verdict(lab: lab, title: title, variants: [judgement.variant]), to: judgement.folder.verdict)
            }
        }
        let text = TextReport(
            color: Console.hasColor(STDOUT_FILENO) ? .color : .plain, width: Console.width(of: STDOUT_FILENO),
            folder: folder.map(Self.shortened))
        Console.answer(report: try format.render(verdict, text: text))
        for failure in failures.sorted(by: { $0.message < $1.message }) { Console.complain("failoverlab: \(failure)") }
        Glibc.exit(Self.worst(judgements.map(\.exitCode) + failures.map(\.reportedCode)))
    }

    /// The reason why a run ended early comes before those of its expectations.
    private static func worst(_ codes: [Report.ExitCode]) -> Int32 {
        let order: [Report.ExitCode] = [.interrupted, .host, .laboratory, .fail, .inconclusive]
        return (order.first { codes.contains($0) } ?? (codes.isEmpty ? .inconclusive : .pass)).rawValue
    }

    /// As a person would type it from here.
    private static func shortened(_ path: String) -> String {
        let here = FileManager.default.currentDirectoryPath + "/"
        return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
    }
}
