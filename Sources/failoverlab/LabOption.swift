internal import ArgumentParser
internal import LabRuntime

/// Which of the labs that are up.
struct LabOption: ParsableArguments {
    @Option(name: .customLong("lab"), help: "The lab's name or id; needed where more than one is up.")
    var name: String?

    func running() throws -> RunningLab { try RunningLab.named(name) }
}
