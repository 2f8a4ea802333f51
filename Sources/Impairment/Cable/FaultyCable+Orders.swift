public import Dataplane
import LabEvents
public import LabTime

extension FaultyCable {
    /// Carries out an order; released frames are enqueued.
    /// - Returns: why it cannot be carried out; nil where it was
    public mutating func perform(_ order: FaultOrder, at now: Instant, into output: inout FrameQueue) -> String? {
        held.reclaim()
        switch order {
        case .install(let rule):
            if let other = rule.selection.flowOf, index(of: other) == nil {
                return "'\(rule.name)' refers to the flows of '\(other)', but this cable has no such rule"
            }
            // Frames held by the old rule of this name would wait for a condition that is not checked any more.
            if let index = index(of: rule.name) { letGoAll(index, at: now) }
            do {
                try install(rule)
            } catch {
                return error.reason
            }
            if rule.isArmed, let index = index(of: rule.name) { report(.armed, index, at: now) }
        case .arm(let name):
            guard let index = index(of: name) else { return unknown(name) }
            rules[index].arm()
            report(.armed, index, at: now)
        case .disarm(let name):
            guard let index = index(of: name) else { return unknown(name) }
            rules[index].isArmed = false
            report(.disarmed, index, at: now)
        case .release(let name):
            guard let index = index(of: name) else { return unknown(name) }
            letGoAll(index, at: now)
        case .event(let name): labEvent(name, at: now)
        }
        sendDue(at: now, into: &output)
        settle()
        return nil
    }

    private func unknown(_ name: String) -> String {
        let known = rules.map(\.rule.name)
        return "this cable has no rule '\(name)'; it has " + (known.isEmpty ? "none" : known.joined(separator: ", "))
    }
}
