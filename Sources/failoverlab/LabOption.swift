internal import ArgumentParser
internal import LabRuntime

/// Which of the labs that are up.
struct LabOption: ParsableArguments {
    @Option(name: .customLong("lab"), help: "Which lab, where more than one is up: its name or id.")
    var name: String?

    func running() throws -> RunningLab { try RunningLab.named(name) }
}
