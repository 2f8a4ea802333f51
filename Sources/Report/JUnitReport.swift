import Expectation
import Integrity
import LabTime

/// JUnit XML as CI systems read it: a suite for each variant, a case for each expectation. What the evidence does not
/// decide is an `<error>`: a test that could not be carried out.
public struct JUnitReport: Sendable {
    public init() {}

    public func text(_ verdict: Verdict) -> String {
        let cases = verdict.variants.map { variant in (variant, self.cases(of: variant)) }
        let totals = Self.counts(cases.flatMap(\.1))
        let seconds = verdict.variants.reduce(0) { $0 + $1.seconds }
        var lines = [
            #"<?xml version="1.0" encoding="UTF-8"?>"#,
            "<testsuites name=\"\(Self.escaped(verdict.lab))\" \(totals) time=\"\(Self.seconds(seconds))\">",
        ]
        for (variant, cases) in cases {
            lines.append(
                "  <testsuite name=\"\(Self.escaped(variant.label))\" \(Self.counts(cases)) time=\"\(Self.seconds(variant.seconds))\">"
            )
            lines.append("    <properties>")
            lines.append("      <property name=\"shows\" value=\"\(Self.escaped(variant.shows))\"/>")
            lines.append("    </properties>")
            for testCase in cases { lines += testCase.lines(className: "\(verdict.lab).\(variant.label)") }
            lines.append("  </testsuite>")
        }
        lines.append("</testsuites>")
        return lines.joined(separator: "\n") + "\n"
    }

    private struct Case {
        var name: String
        var verdict: ExpectationVerdict
        var message: String
        var explanation: [String]

        func lines(className: String) -> [String] {
            let opening = "    <testcase classname=\"\(escaped(className))\" name=\"\(escaped(name))\""
            let text = escaped(explanation.joined(separator: "\n"))
            let element: String
            switch verdict {
            case .pass:
                return [opening + ">", "      <system-out>\(text)</system-out>", "    </testcase>"]
            case .fail: element = "failure"
            case .inconclusive: element = "error"
            }
            return [
                opening + ">",
                "      <\(element) type=\"\(verdict.rawValue)\" message=\"\(escaped(message))\">\(text)</\(element)>",
                "    </testcase>",
            ]
        }
    }

    private func cases(of variant: VariantVerdict) -> [Case] {
        var cases = variant.expectations.map {
            Case(name: $0.id, verdict: $0.verdict, message: $0.seen, explanation: $0.explanation)
        }
        if let problem = variant.ownProblem {
            cases.append(Case(name: "variant", verdict: .inconclusive, message: problem, explanation: [problem]))
        }
        if let problem = variant.integrityProblem, let verdict = variant.integrity?.verdict {
            cases.append(Case(name: "integrity", verdict: verdict, message: problem, explanation: [problem]))
        }
        return cases
    }

    private static func counts(_ cases: [Case]) -> String {
        let failures = cases.count { $0.verdict == .fail }
        let errors = cases.count { $0.verdict == .inconclusive }
        return "tests=\"\(cases.count)\" failures=\"\(failures)\" errors=\"\(errors)\""
    }

    private static func seconds(_ value: Double) -> String {
        String(Duration(milliseconds: value * 1000).inSeconds.dropLast(2))
    }

    /// For text and for attribute values alike. Characters that XML 1.0 does not allow become U+FFFD; those that it
    /// allows and a terminal would obey are character references.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "\n": escaped += "&#10;"
            case "\t": escaped += "&#9;"
            case "\u{20}"..."\u{d7ff}", "\u{e000}"..."\u{fffd}", "\u{10000}"...:
                if VisibleText.isHidden(scalar) {
                    escaped += "&#x\(String(scalar.value, radix: 16));"
                } else {
                    escaped.unicodeScalars.append(scalar)
                }
            default: escaped += "\u{fffd}"
            }
        }
        return escaped
    }
}
