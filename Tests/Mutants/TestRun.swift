import Foundation

/// The tests of a module, run with a broken box. They end with the first test that notices.
struct TestRun {
    let tools: Tools
    let target: String
    /// A pattern of suites; nil for all.
    let suites: String?

    /// - Returns: the test that failed; nil where all passed
    func failure(with mutant: String?) throws -> String? {
        var failed: String?
        let child = try Child.run(
            tools.tests,
            ["--testing-library", "swift-testing", "--filter", "^\(target)\\." + (suites.map { ".*(\($0))" } ?? "")],
            in: tools.top, environment: tools.environment(mutant), timeout: 600
        ) { line in
            failed = Self.failedTest(line)
            return failed != nil
        }
        if let failed { return failed }
        if child.hasCrashed {
            let reason = child.lines.last { $0.contains("Fatal error") || $0.contains("Precondition failed") }
            return "a crash of the run" + (reason.map { ": " + String($0.prefix(120)) } ?? "")
        }
        if child.hasTimedOut { return "a run that does not end" }
        guard child.lines.contains(where: { $0.contains("Test run with") }) else {
            throw Trouble(
                "the tests did not run (code \(child.status)):\n" + child.lines.suffix(5).joined(separator: "\n"))
        }
        if child.lines.contains(where: { $0.contains("Test run with 0 tests") }) {
            throw Trouble("no test matches \(target) \(suites ?? "")")
        }
        return child.status == 0 ? nil : "code \(child.status)"
    }

    /// `✘ Test "a name" recorded an issue …`
    private static func failedTest(_ line: String) -> String? {
        guard let start = line.range(of: "✘ Test "), let end = line.range(of: " recorded an issue"),
            start.upperBound < end.lowerBound
        else { return nil }
        let name = line[start.upperBound..<end.lowerBound]
        return name.firstIndex(of: "\"") == name.startIndex
            ? String(name.dropFirst().prefix { $0 != "\"" }) : String(name)
    }
}
