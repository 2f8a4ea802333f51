import LabEvents
import LabFile

/// What has become of each node as the scenario goes on, so that a step which could not be carried out, or would take
/// the run's figures with it, is told before anything is built.
struct NodeStates {
    enum State: Hashable {
        case up, hung, poweredOff

        var words: String {
            switch self {
            case .up: "is up"
            case .hung: "hangs"
            case .poweredOff: "is powered off"
            }
        }
    }

    let reader: LabReader
    /// The node that each traffic program starts at.
    let origins: [String: String]

    private var states: [String: State] = [:]
    private var hungAt: [String: SourcePosition] = [:]
    private var running: [String] = []

    init(origins: [String: String], _ reader: LabReader) {
        self.origins = origins
        self.reader = reader
    }

    private func state(of node: String) -> State { states[node] ?? .up }

    /// Programs that run on a node now.
    private func programs(on node: String) -> [String] { running.filter { origins[$0] == node } }

    mutating func start(_ programs: [String], at position: SourcePosition) {
        for program in programs {
            running.append(program)
            guard let node = origins[program] else { continue }
            check(node, "'\(program)' cannot start: '\(node)'", at: position)
        }
    }

    mutating func stop(_ programs: [String], at position: SourcePosition) {
        for program in programs {
            running.removeAll { $0 == program }
            guard let node = origins[program], state(of: node) == .hung else { continue }
            check(node, "'\(program)' cannot stop and tell what it saw: '\(node)'", at: position)
        }
    }

    /// A node is asked for its counters.
    func ask(_ node: String, at position: SourcePosition) {
        check(node, "no counter can be waited for: '\(node)'", at: position)
    }

    mutating func inject(_ fault: Fault, at position: SourcePosition) {
        let node = fault.node
        let what = "\(fault.word) is not possible here: '\(node)'"
        switch type(of: fault.value).effect {
        case .powersOff:
            if state(of: node) == .poweredOff { check(node, what, at: position) }
            checkTraffic(of: node, at: position)
            states[node] = .poweredOff
        case .powersOn:
            if state(of: node) != .poweredOff { refuse("\(what) is not powered off", at: position) }
            states[node] = .up
        case .hangs:
            if check(node, what, at: position) { hungAt[node] = position }
            states[node] = .hung
        case .resumes:
            if state(of: node) != .hung { refuse("\(what) does not hang", at: position) }
            states[node] = .up
        case .needsRunning: check(node, what, at: position)
        case .needsRunningThen, .none: break
        }
    }

    /// What runs to the end must be able to tell what it saw.
    func finish() {
        for (node, position) in hungAt where state(of: node) == .hung {
            let programs = programs(on: node)
            guard !programs.isEmpty else { continue }
            reader.report(
                "'\(node)' runs \(words(programs)) and still hangs at the end, so that it could not tell what its flows saw",
                at: position,
                allowed: ["a step { fail: { resume: \(node) } } after it", "{ stop: \(list(programs)) } before it"])
        }
    }

    /// A node that is killed takes the figures of its own traffic with it.
    private func checkTraffic(of node: String, at position: SourcePosition) {
        let programs = programs(on: node)
        guard !programs.isEmpty else { return }
        reader.report(
            "power-off of '\(node)' while it runs \(words(programs)): what its flows saw would be lost with it",
            at: position,
            allowed: [
                "a step { stop: \(list(programs)) } before it", "link-down of its interfaces",
                "power-off of a node that runs no traffic now",
            ])
    }

    /// - Returns: whether the node is up; where it is not, that is reported
    @discardableResult
    private func check(_ node: String, _ what: String, at position: SourcePosition) -> Bool {
        let state = state(of: node)
        guard state != .up else { return true }
        reader.report(
            "\(what) \(state.words)", at: position,
            allowed: [
                "after a step { fail: { \((state == .hung ? ResumeFault.event : PowerOnFault.event).rawValue): \(node) } }"
            ]
        )
        return false
    }

    private func refuse(_ problem: String, at position: SourcePosition) { reader.report(problem, at: position) }

    private func words(_ programs: [String]) -> String {
        "the traffic " + programs.map { "'\($0)'" }.joined(separator: ", ")
    }

    private func list(_ programs: [String]) -> String {
        programs.count == 1 ? programs[0] : "[\(programs.joined(separator: ", "))]"
    }
}
