internal import Expectation
internal import Report
internal import Topology

/// Every gap of one variant, each traffic program apart.
struct OutageTable {
    /// What a failover may cost beside the timers: noticing, announcing, and one probe.
    private static let allowance: Duration = .milliseconds(5)

    let variant: Variant
    let bound: DetectionBound?
    let verdicts: [VariantVerdict]

    init(_ variant: Variant, _ bound: DetectionBound?, _ verdicts: [VariantVerdict]) {
        self.variant = variant
        self.bound = bound
        self.verdicts = verdicts
    }

    var text: String {
        var lines = ["", "\(variant.name): \(variant.title)"]
        if let bound { lines.append("  by the timers at most \(bound.longest.inMilliseconds) ms: \(bound.words)") }
        for program in variant.traffic.map(\.name) {
            let entries = verdicts.compactMap { verdict in verdict.traffic.first { $0.name == program } }
            let gaps = entries.map(\.longestGapMilliseconds).sorted()
            guard let shortest = gaps.first, let longest = gaps.last else { continue }
            lines.append("  \(program), gaps in ms, each ± \(entries[0].resolutionMilliseconds):")
            lines.append("    " + gaps.map { "\($0)" }.joined(separator: " "))
            var line = "    shortest \(shortest), median \(gaps[gaps.count / 2]), longest \(longest)"
            if let bound {
                let limit = bound.longest + Self.allowance
                let within = gaps.count { .milliseconds($0) <= limit }
                line += "; within \(limit.inMilliseconds) ms: \(within) of \(gaps.count)"
            } else {
                let (none, one) = (entries.count { $0.lost == 0 }, entries.count { $0.lost <= 1 })
                line += "; lost no probe: \(none), at most one: \(one), of \(entries.count)"
            }
            lines.append(line)
        }
        let bad = verdicts.filter { $0.verdict != .pass }
        for verdict in bad { lines.append("  \(verdict.label): \(verdict.verdict) \(verdict.problem ?? "")") }
        return lines.joined(separator: "\n")
    }
}
