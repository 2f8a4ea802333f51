internal import LabEvents
internal import Measurement

/// The lab's traffic programs, and which of them run.
struct TrafficProgress: Hashable, Sendable {
    enum State: Hashable, Sendable {
        case running
        /// It asks nothing new; its result is outstanding.
        case finishing
        case finished
    }

    private let programs: [TrafficProgram]
    private var states: [String: State] = [:]

    init(_ programs: [TrafficProgram]) { self.programs = programs }

    /// - Returns: the program and its number; nil where the lab has none of that name
    mutating func start(_ name: String) -> (program: TrafficProgram, number: Int)? {
        guard let number = programs.firstIndex(where: { $0.name == name }) else { return nil }
        states[name] = .running
        return (programs[number], number)
    }

    /// Those that run, in the lab's order; `names` nil: of all.
    func running(_ names: [String]?) -> [TrafficProgram] {
        programs.filter { states[$0.name] == .running && names?.contains($0.name) ?? true }
    }

    mutating func finish(_ name: String) { states[name] = .finishing }

    mutating func finished(_ name: String) -> TrafficProgram? {
        guard let program = programs.first(where: { $0.name == name }) else { return nil }
        states[name] = .finished
        return program
    }
}

extension ScenarioEvent {
    static func traffic(_ kind: EventKind, of program: TrafficProgram) -> ScenarioEvent {
        ScenarioEvent(kind.name(of: program.name), kind, node: program.from)
    }
}
