internal import ArgumentParser
internal import LabRuntime

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tests everything that a lab needs from this host, and shows what to change.")

    func run() throws {
        let checks = HostExamination.examine()
        let width = checks.map(\.need.count).max() ?? 0
        for check in checks {
            Console.answer("\(check.isMet ? "✔" : "✘") \(check.need.padded(to: width))  \(check.found)\n")
            if let remedy = check.remedy { Console.answer("  → \(remedy)\n") }
        }
        if !checks.allSatisfy(\.isMet) {
            throw Complaint(text: "failoverlab: this host cannot run labs yet", exitCode: 4)
        }
        Console.answer("This host can run labs.\n")
    }
}
