import Expectation
import Integrity

/// The Test Anything Protocol, version 14: a test point for each variant, its expectations as a subtest. What the
/// evidence does not decide is not ok, and its diagnostics have `inconclusive`.
/// Source: testanything.org, TAP 14 specification
public struct TAPReport: Sendable {
    public init() {}

    public func text(_ verdict: Verdict) -> String {
        var lines = ["TAP version 14", "1..\(verdict.variants.count)"]
        for (index, variant) in verdict.variants.enumerated() {
            lines += subtest(variant).map { "    " + $0 }
            lines.append(
                Self.point(index + 1, variant.verdict, "\(variant.label) (\(variant.shows))"))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func subtest(_ variant: VariantVerdict) -> [String] {
        var problems: [(name: String, verdict: ExpectationVerdict, text: String)] = []
        if let problem = variant.ownProblem { problems.append(("variant", .inconclusive, problem)) }
        if let problem = variant.integrityProblem, let verdict = variant.integrity?.verdict {
            problems.append(("integrity", verdict, problem))
        }
        var lines = [
            "# Subtest: \(Self.escaped("\(variant.label) (\(variant.shows))"))",
            "1..\(variant.expectations.count + problems.count)",
        ]
        for (index, entry) in variant.expectations.enumerated() {
            lines.append(Self.point(index + 1, entry.verdict, entry.id))
            if entry.verdict != .pass { lines += Self.diagnostics(entry) }
        }
        for (index, problem) in problems.enumerated() {
            lines.append(Self.point(variant.expectations.count + index + 1, problem.verdict, problem.name))
            lines += [
                "  ---", "  verdict: \(problem.verdict.rawValue)", "  seen: \(Self.quoted(problem.text))", "  ...",
            ]
        }
        return lines
    }

    private static func point(_ number: Int, _ verdict: ExpectationVerdict, _ description: String) -> String {
        "\(verdict == .pass ? "ok" : "not ok") \(number) - \(escaped(description))"
    }

    private static func diagnostics(_ entry: ExpectationEntry) -> [String] {
        var lines = [
            "  ---", "  verdict: \(entry.verdict.rawValue)", "  expected: \(quoted(entry.expected))",
            "  seen: \(quoted(entry.seen))",
        ]
        if !entry.frames.isEmpty {
            lines.append("  frames:")
            lines += entry.frames.map { "    - \(quoted($0.explanation))" }
        }
        if let nearest = entry.nearest { lines.append("  nearest: \(quoted(nearest.explanation))") }
        if let filter = entry.wiresharkFilter { lines.append("  wireshark: \(quoted(filter))") }
        return lines + ["  ..."]
    }

    /// `#` would begin a directive; a line is a line.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\", "#": escaped += "\\\(scalar)"
            case "\n", "\r": escaped += " "
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return VisibleText.line(escaped)
    }

    /// A double-quoted YAML scalar.
    private static func quoted(_ text: String) -> String {
        var quoted = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": quoted += "\\\\"
            case "\"": quoted += "\\\""
            case "\n": quoted += "\\n"
            case _ where VisibleText.isHidden(scalar):
                let digits = String(scalar.value, radix: 16)
                quoted += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return "\"\(quoted)\""
    }
}
