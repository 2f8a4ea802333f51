import Expectation
import LabEvents
import LabTime
import Measurement

/// The events of a variant on one axis: a lane for the scenario, one for each node that reported something, and one for
/// each traffic program with its longest silence. Pixels of an SVG.
struct Timeline {
    static let laneHeight = 26
    private static let left = 150
    private static let width = 800
    /// Beyond these, `events.jsonl` has the rest.
    private static let mostMarks = 400

    private let variant: VariantVerdict
    private let start: Timestamp
    private let length: Duration
    private let events: ArraySlice<EventEntry>

    /// nil where the scenario did nothing.
    init?(_ variant: VariantVerdict) {
        // What nodes report before the scenario has begun is the lab's coming up.
        guard let begin = variant.events.firstIndex(where: \.isOfScenario), let last = variant.events.last else {
            return nil
        }
        // … unless an expectation refers to it.
        let referred = variant.referredEvents
        let first = min(begin, variant.events.firstIndex { referred.contains($0.place) } ?? begin)
        // Neighbours are learned all the time.
        events = variant.events[first...].filter {
            $0.kind != EventKind.neighborChanged.rawValue || referred.contains($0.place)
        }.prefix(Self.mostMarks)
        start = variant.events[first].time
        length = max(last.time - start, .milliseconds(1))
        self.variant = variant
    }

    private func x(_ time: Timestamp) -> Int {
        Self.left + Int(Double(Self.width) * min(1, max(0, (time - start).milliseconds / length.milliseconds)))
    }

    var content: [String: Any] {
        var lanes: [[String: Any]] = []
        func add(_ name: String, marks: [[String: Any]], bars: [[String: Any]] = []) {
            let y = lanes.count * Self.laneHeight + Self.laneHeight / 2
            lanes.append(["name": name, "y": "\(y)", "text": "\(y + 4)", "marks": marks, "bars": bars])
        }
        add("scenario", marks: events.filter(\.isOfScenario).map { mark($0, label: $0.name) })
        for node in nodes {
            add(node, marks: events.filter { !$0.isOfScenario && $0.node == node }.map { mark($0, label: $0.kind) })
        }
        for entry in variant.traffic { add(entry.name, marks: [], bars: bars(of: entry)) }
        let height = lanes.count * Self.laneHeight
        return [
            "lanes": lanes, "width": "\(Self.left + Self.width + 110)", "height": "\(height + 24)",
            "bottom": "\(height)",
            "ticks": (0...4).map { quarter in
                let time = start + .nanoseconds(length.nanoseconds / 4 * Int64(quarter))
                return ["x": "\(x(time))", "label": "+\((time - start).inSeconds)", "y": "\(height + 16)"]
            },
        ]
    }

    /// Nodes in the order of their first events.
    private var nodes: [String] {
        var seen = Set<String>()
        return events.filter { !$0.isOfScenario }.compactMap(\.node).filter { seen.insert($0).inserted }
    }

    private func mark(_ event: EventEntry, label: String) -> [String: Any] {
        let details = (event.details ?? [:]).sorted { $0.key < $1.key }.map { "\($0): \($1)" }.joined(separator: ", ")
        let title = "\(event.name) +\((event.time - start).inSeconds)" + (details.isEmpty ? "" : " (\(details))")
        return ["x": "\(x(event.time))", "labelX": "\(x(event.time) + 6)", "label": label, "title": title]
    }

    /// From start to stop, and the longest silence within.
    private func bars(of entry: TrafficEntry) -> [[String: Any]] {
        func time(_ name: String) -> Timestamp? { variant.events.first { $0.name == name }?.time }
        let begin = x(time(EventKind.trafficStart.name(of: entry.name)) ?? start)
        let end = x(time(EventKind.trafficStop.name(of: entry.name)) ?? start + length)
        var bars = [bar(from: begin, to: end, kind: "flow", title: "\(entry.name): \(entry.outcomeText)")]
        if let gap = entry.longestGapStart {
            let over = gap + Duration(milliseconds: entry.longestGapMilliseconds)
            bars.append(bar(from: x(gap), to: x(over), kind: "gap", title: "longest gap: \(entry.gapText)"))
        }
        return bars
    }

    private func bar(from: Int, to: Int, kind: String, title: String) -> [String: Any] {
        ["x": "\(from)", "width": "\(max(1, to - from))", "kind": kind, "title": title]
    }
}
