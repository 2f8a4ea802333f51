internal import Appliances
internal import Capture
internal import EventLoop
internal import Evidence
internal import Impairment
internal import LabFile
internal import LabTime
internal import Topology

/// Faults on single frames: what the supervisor passes on to in-line elements.
extension Supervisor {
    /// Knows the lab's own faults from now on.
    func learnFrameFaults() {
        for element in assignment.variant.elements {
            for rule in element.rules { learn(rule, on: element.name) }
        }
    }

    private func learn(_ rule: FaultRule, on element: String) {
        var awaits: String?
        if case .hold(let hold) = rule.action { awaits = hold.until.event }
        frameFaults[rule.name] = (element, awaits)
    }

    /// Arms, disarms or releases a fault; the event comes first, what the element does about it lies after it.
    func instruct(_ fault: Fault, about rule: String, name: String?, then: @escaping (LabFailure?) -> Void) {
        guard let element = frameFaults[rule]?.element, let running = nodes[element] else {
            let known = frameFaults.keys.sorted()
            return then(
                known.isEmpty
                    ? LabFailure(
                        .usage, "there is no fault '\(rule)' on single frames",
                        remedy: "this lab has none; see 'faults:' in its lab file")
                    : unknown("fault on single frames", rule, among: known))
        }
        record(
            LabEvent(
                name: name ?? fault.kind.rawValue, time: .now(), kind: fault.kind.event, node: element,
                details: fault.details))
        let command: FaultOrder =
            switch fault {
            case .disarm: .disarm(rule)
            case .release: .release(rule)
            default: .arm(rule)
            }
        send(command, to: running, then: then)
    }

    /// Installs a fault that a person gave, in the words of a lab file.
    func impair(_ text: String, then: @escaping (LabFailure?) -> Void) {
        do throws(LabFileErrors) {
            let (element, rule) = try FaultRule.parsing(text, of: assignment.variant)
            for filter in rule.filters {
                if let refusal = Capture.CaptureFilter.problem(in: filter) {
                    return then(LabFailure(.usage, "\(refusal)"))
                }
            }
            if let other = frameFaults[rule.name], other.element != element {
                return then(
                    LabFailure(
                        .usage, "'\(rule.name)' is a fault of \(other.element); give this one another name, by --as"))
            }
            guard let running = nodes[element] else {
                return then(LabFailure(.lab, "there is no element on \(element)"))
            }
            send(.install(rule), to: running) { [unowned self] failure in
                if failure == nil { learn(rule, on: element) }
                then(failure)
            }
        } catch {
            then(LabFailure(.usage, "\(error)"))
        }
    }

    /// Elements that hold frames until an event are told of it.
    func elementsSaw(_ event: LabEvent) {
        for element in Set(frameFaults.values.filter { $0.awaits == event.name }.map(\.element)) {
            if let running = nodes[element] { send(.event(event.name), to: running) { _ in } }
        }
    }

    private func send(_ command: FaultOrder, to running: RunningNode, then: @escaping (LabFailure?) -> Void) {
        order(.fault(command), of: running) { reply in
            if case .refused(let reason) = reply {
                then(LabFailure(.lab, "\(running.node.name): \(reason)"))
            } else {
                then(nil)
            }
        }
    }
}
