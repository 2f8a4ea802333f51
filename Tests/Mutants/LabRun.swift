import Foundation

/// A lab, or one variant of it, run with a broken box.
struct LabRun {
    enum Outcome {
        /// Which variant and expectation failed, and what was seen.
        case caught(by: String, seen: String)
        /// The scenario waited for an event that never happened: the run says so by name and ends with code 3.
        case timedOut(in: String, problem: String)
        case undecided(String)
        case passed
    }

    let tools: Tools
    let lab: String
    /// Empty for all that run without being asked for.
    var variants: [String] = []

    init(tools: Tools, lab: String, variants: [String]) {
        self.tools = tools
        self.lab = lab
        self.variants = variants
    }

    /// - Parameter name: `lab` or `lab/variant`
    init(tools: Tools, name: String) {
        let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
        self.init(tools: tools, lab: parts[0], variants: Array(parts.dropFirst()))
    }

    func outcome(with mutant: String?) throws -> Outcome {
        var outcome = try once(mutant)
        // A busy machine decides nothing.
        for _ in 0..<2 {
            guard case .undecided = outcome else { break }
            outcome = try once(mutant)
        }
        return outcome
    }

    private func once(_ mutant: String?) throws -> Outcome {
        let output = tools.scratch + "/runs"
        // Labs lie in folders; a run is named for the lab alone.
        let name = lab.split(separator: "/").last ?? ""
        try? FileManager.default.removeItem(atPath: "\(output)/\(name)")
        let child = try Child.run(
            tools.failoverlab,
            ["run", tools.top + "/Labs/" + lab, "--jobs", "4", "--rerun-inconclusive", "0", "--output", output]
                + variants.flatMap { ["--variant", $0] },
            in: tools.top, environment: tools.environment(mutant), timeout: 600)
        guard let data = FileManager.default.contents(atPath: "\(output)/\(name)/latest/verdict.json"),
            let verdict = try JSONSerialization.jsonObject(with: data) as? [String: Any],
            let variants = verdict["variants"] as? [[String: Any]]
        else {
            throw Trouble(
                "'\(lab)' left no verdict (code \(child.status)):\n" + child.lines.suffix(5).joined(separator: "\n"))
        }
        return read(variants)
    }

    private func read(_ variants: [[String: Any]]) -> Outcome {
        var waited: Outcome?
        var undecided: Outcome?
        for variant in variants {
            let place = "\(lab)/\(variant["name"] as? String ?? "?")"
            switch variant["verdict"] as? String {
            case "pass": continue
            case "fail":
                let findings = Self.findings(variant)
                let failed = (variant["expectations"] as? [[String: Any]] ?? []).filter {
                    $0["verdict"] as? String == "fail"
                }
                if let first = failed.first {
                    return .caught(
                        by: "\(place): \(first["id"] as? String ?? "?")"
                            + (findings.isEmpty ? "" : " (and integrity)"), seen: first["seen"] as? String ?? "")
                }
                let kind = findings.first?.prefix { $0 != ":" } ?? "?"
                return .caught(by: "\(place): integrity, \(kind)", seen: findings.first ?? "")
            default:
                let problem =
                    variant["problem"] as? String
                    ?? (variant["expectations"] as? [[String: Any]] ?? []).first {
                        $0["verdict"] as? String == "inconclusive"
                    }?["seen"] as? String ?? "no reason given"
                if problem.contains("the scenario waited") {
                    waited = waited ?? .timedOut(in: place, problem: problem)
                } else {
                    undecided = undecided ?? .undecided("\(place): \(problem)")
                }
            }
        }
        return waited ?? undecided ?? .passed
    }

    /// What the always-on checks of a variant's captures found that no box may do.
    private static func findings(_ variant: [String: Any]) -> [String] {
        let integrity = variant["integrity"] as? [String: Any]
        return (integrity?["findings"] as? [[String: Any]] ?? []).map {
            "\($0["kind"] as? String ?? "?"): \($0["what"] as? String ?? "")"
        }
    }
}
