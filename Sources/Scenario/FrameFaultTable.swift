internal import Impairment
internal import Topology

/// The lab's faults on single frames, by name: the impairment link of each, and the event that lets go what it holds.
package struct FrameFaultTable: Hashable, Sendable {
    private struct Entry: Hashable, Sendable {
        var element: String
        var awaits: String?
    }

    private var entries: [String: Entry] = [:]

    init(_ elements: [CableElement]) {
        for element in elements {
            for rule in element.rules { add(rule, on: element.name) }
        }
    }

    mutating func add(_ rule: FaultRule, on element: String) {
        entries[rule.name] = Entry(element: element, awaits: rule.action.awaitedEvent)
    }

    var names: [String] { entries.keys.sorted() }

    package func element(of rule: String) -> String? { entries[rule]?.element }

    /// Impairment links with frames that are held until the event.
    func elements(awaiting event: String) -> [String] {
        Set(entries.values.filter { $0.awaits == event }.map(\.element)).sorted()
    }
}
