import Expectation
import LabTime
import Measurement

/// The table at the end of the text report: a line for each variant.
struct SummaryText {
    private let verdict: Verdict
    private let color: ColorMode

    init(_ verdict: Verdict, _ color: ColorMode) {
        self.verdict = verdict
        self.color = color
    }

    var lines: [String] { table + ["", conclusion] }

    private var table: [String] {
        let programs = programNames
        var table = TextTable(
            [("variant", .left), ("shows", .left)] + programs.map { ($0, .left) }
                + [("longest gap", .left), ("seconds", .right), ("verdict", .left)])
        for variant in verdict.variants {
            let cells = programs.map { name in
                TextTable.Cell(variant.traffic.first { $0.name == name }?.outcomeText ?? "–")
            }
            table.add(
                [.init(variant.label), .init(variant.shows)] + cells + [
                    .init(Self.longestGap(variant)), .init(VariantText.seconds(variant.seconds)),
                    .init(
                        "\(variant.verdict.mark) \(variant.problem == nil ? variant.verdict.rawValue : "not run to its end")",
                        variant.verdict.ink),
                ])
        }
        return table.lines(color)
    }

    /// Every traffic program of any variant, in the order of first appearance.
    private var programNames: [String] {
        var seen = Set<String>()
        return verdict.variants.flatMap { $0.traffic.map(\.name) }.filter { seen.insert($0).inserted }
    }

    /// Of existing flows where there are any: what a failover does to them is what the table is read for.
    private static func longestGap(_ variant: VariantVerdict) -> String {
        let longLived = variant.traffic.filter { !$0.kind.opensFlowForEachProbe }
        let entries = (longLived.isEmpty ? variant.traffic : longLived).filter { $0.longestGapStart != nil }
        let longest = entries.max {
            ($0.recovered ? 0 : 1, $0.longestGapMilliseconds) < ($1.recovered ? 0 : 1, $1.longestGapMilliseconds)
        }
        guard let longest else { return "–" }
        return longest.recovered ? longest.gapText : "never ended"
    }

    private var conclusion: String {
        let word = color.paint(verdict.verdict.rawValue, verdict.verdict.ink)
        let failed = names(.fail)
        let broken = verdict.variants.filter { $0.problem != nil && $0.verdict == .inconclusive }.map(\.label)
        let doubtful = names(.inconclusive).filter { !broken.contains($0) }
        var parts: [String] = []
        if verdict.variants.isEmpty { parts.append("no variant was run") }
        if failed.isEmpty, doubtful.isEmpty, broken.isEmpty {
            for (shows, singular, plural) in [
                ("symptom", "symptom reproduced", "symptoms reproduced"),
                ("remedy", "remedy proven", "remedies proven"),
                ("control", "control as expected", "controls as expected"),
            ] {
                let count = verdict.variants.count { $0.shows == shows }
                if count > 0 { parts.append("\(count) \(count == 1 ? singular : plural)") }
            }
        }
        let again = verdict.variants.filter { $0.earlierAttempts != nil }.map(\.label)
        if !again.isEmpty { parts.append("inconclusive at first, so run again: \(again.joined(separator: ", "))") }
        if !failed.isEmpty { parts.append("not as expected: \(failed.joined(separator: ", "))") }
        if !doubtful.isEmpty { parts.append("not decided: \(doubtful.joined(separator: ", "))") }
        if !broken.isEmpty { parts.append("not finished: \(broken.joined(separator: ", "))") }
        return "\(verdict.lab): \(word)" + (parts.isEmpty ? "" : " (\(parts.joined(separator: "; ")))")
    }

    private func names(_ wanted: ExpectationVerdict) -> [String] {
        verdict.variants.filter { $0.verdict == wanted }.map(\.label)
    }
}
