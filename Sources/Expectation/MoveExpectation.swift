public import Evidence
import LabTime
import Measurement

/// Which of a traffic program's flows take another path from some moment on (`moved: { of: app, by: eth.dst, … }`).
///
/// Each flow's path is a field of its frames to the server: of the last before the moment, and of the last after it.
/// Flows that were not seen on both sides of it do not count.
public struct MoveExpectation: ExpectationKind {
    public var node: String
    public var interface: String
    public var match: String?
    public var flowsOf: String
    /// A name of `FrameField`.
    public var field: String
    public var moment: Anchor
    /// Where every flow that moved came from, and went to; nil for anywhere.
    public var from: String?
    public var to: String?
    /// Percent of the flows that had to move, and how far from it the share may be.
    public var ideal: Double
    public var tolerance: Double

    public init(
        node: String, interface: String, match: String? = nil, flowsOf: String, field: String, moment: Anchor,
        from: String? = nil, to: String? = nil, ideal: Double, tolerance: Double
    ) {
        self.node = node
        self.interface = interface
        self.match = match
        self.flowsOf = flowsOf
        self.field = field
        self.moment = moment
        self.from = from
        self.to = to
        self.ideal = ideal
        self.tolerance = tolerance
    }
}

extension MoveExpectation {
    public var sentence: String {
        var words = "of \(flowsOf)'s flows on \(node).\(interface)"
        if let match { words += " matching '\(match)'" }
        words += ", \(Self.percent(ideal)) ± \(Self.percent(tolerance)) change their \(field) at \(moment.event)"
        if let from { words += ", all of them from \(from)" }
        if let to { words += ", all of them to \(to)" }
        return words
    }

    public var isBorneOutByAbsence: Bool { false }

    public func events(in evidence: RunEvidence) -> [EventReference] { .ends(nil, nil, at: moment, in: evidence) }

    public func evaluate(id: String, in evidence: RunEvidence) throws -> ExpectationResult {
        let captures = evidence.captures(of: node, interface: interface)
        guard !captures.isEmpty else { throw UndecidableExpectation("nothing was captured on \(node).\(interface)") }
        guard let frameField = FrameField(field) else { throw UndecidableExpectation("there is no field '\(field)'") }
        guard let traffic = evidence.traffic(named: flowsOf), !traffic.flows.isEmpty else {
            throw UndecidableExpectation("traffic \(flowsOf) opened no flow")
        }
        try traffic.requireKnownPorts(in: evidence)
        let before = try TimeWindow(after: nil, before: moment, in: evidence)
        let membership = FlowMembership(evidence.traffic)
        var paths = [Path](repeating: Path(), count: traffic.flows.count)
        for capture in captures {
            try evidence.source.frames(of: capture, matching: match) { frame in
                let reading = FrameReading(frame.bytes)
                guard
                    let flow = membership.flow(of: reading, at: frame.time, program: flowsOf),
                    let value = reading.value(of: frameField)
                else { return true }
                let sighting = FrameTally.Sighting(frame, reading)
                if before.contains(frame.time) {
                    paths[flow].before = (value, sighting)
                } else {
                    paths[flow].after = (value, sighting)
                }
                return true
            }
        }
        return result(id, paths.filter(\.isComplete), frameField, captures, before.closing, evidence)
    }

    private func result(
        _ id: String, _ paths: [Path], _ frameField: FrameField, _ captures: [CaptureSummary], _ event: LabEvent?,
        _ evidence: RunEvidence
    ) -> ExpectationResult {
        guard !paths.isEmpty else {
            return ExpectationResult(
                id: id, verdict: .inconclusive, expected: sentence,
                seen: "no flow was seen both before and after \(moment.event)")
        }
        let moved = paths.filter(\.hasMoved)
        let share = Double(moved.count) * 100 / Double(paths.count)
        let strays = moved.filter { path in
            func isElse(_ wanted: String?, _ value: FieldValue?) -> Bool {
                guard let wanted, let pattern = FieldPattern(wanted, for: frameField.name), let value else {
                    return false
                }
                return !pattern.matches(value)
            }
            return isElse(from, path.before?.value) || isElse(to, path.after?.value)
        }
        var seen =
            "\(moved.count) of \(paths.count) flows moved: \(Self.percent(share)), ideal \(Self.percent(ideal))"
        if let stray = strays.first, let old = stray.before?.value, let new = stray.after?.value {
            seen +=
                "; \(strays.count) of them otherwise, the first from \(old.text(for: frameField.name)) to \(new.text(for: frameField.name))"
        }
        var verdict: ExpectationVerdict = strays.isEmpty && abs(share - ideal) <= tolerance ? .pass : .fail
        if let lack = captures.lazy.compactMap(\.lack).first {
            verdict = .inconclusive
            seen += "; but \(lack)"
        }
        let shown = strays.first ?? moved.first ?? paths[0]
        let frames = [(shown.before, "last before"), (shown.after, "last after")].compactMap { path, role in
            path.map {
                FrameReference(
                    capture: $0.sighting.capture, number: $0.sighting.number, time: $0.sighting.time,
                    moment: evidence.moment(of: $0.sighting.time, from: event), role: role,
                    note: $0.sighting.reading.summary)
            }
        }
        return ExpectationResult(id: id, verdict: verdict, expected: sentence, seen: seen, frames: frames)
    }

    /// One flow's values and the frames that show them.
    private struct Path {
        var before: (value: FieldValue, sighting: FrameTally.Sighting)?
        var after: (value: FieldValue, sighting: FrameTally.Sighting)?

        var isComplete: Bool { before != nil && after != nil }
        var hasMoved: Bool { before?.value != after?.value }
    }

    /// `33.3 %`
    private static func percent(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10)) %"
    }
}

extension ExpectationSpecification.Subject {
    public static func moved(_ expectation: MoveExpectation) -> Self { Self(expectation) }
}
