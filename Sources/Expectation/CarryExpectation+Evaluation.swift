public import Evidence
import LabTime

extension CarryExpectation {
    public var sentence: String {
        let number =
            count.map { "\($0.relation == .equal ? "" : $0.relation.rawValue + " ")\($0.value) flows" } ?? "the flows"
        var words = "\(number) on \(first.words) are seen again on \(then.words)"
        if !fields.isEmpty { words += ", with the same \(fields.joined(separator: ", "))" }
        words +=
            missing == Comparison(.equal, 0)
            ? ", none missing" : ", missing \(missing.relation.rawValue) \(missing.value)"
        return words
    }

    /// Reads each capture once. Memory grows with the number of flows, not of frames.
    public func evaluate(id: String, in evidence: RunEvidence) throws -> ExpectationResult {
        let names = try fields.map { name in
            guard let field = FrameField(name) else { throw UndecidableExpectation("there is no field '\(name)'") }
            return field
        }
        let (before, after) = (try first.captures(in: evidence), try then.captures(in: evidence))
        let (window, later) = (try first.window(in: evidence), try then.window(in: evidence))
        var flows: [CarriedFlow: Passing] = [:]
        var frames = (first: 0, then: 0)
        var others: Set<CarriedFlow> = []
        for capture in before {
            try evidence.source.frames(of: capture, matching: first.match) { frame in
                guard window.contains(frame.time) else { return true }
                let reading = FrameReading(frame.bytes)
                guard let key = CarriedFlow(reading, names) else { return true }
                frames.first += 1
                flows[key, default: Passing()].last = Sighted(frame)
                return true
            }
        }
        for capture in after {
            try evidence.source.frames(of: capture, matching: then.match) { frame in
                guard later.contains(frame.time) else { return true }
                let reading = FrameReading(frame.bytes)
                guard let key = CarriedFlow(reading, names) else { return true }
                frames.then += 1
                if let place = flows.index(forKey: key) {
                    if flows.values[place].again == nil {
                        flows.values[place].again = Sighted(frame)
                    }
                } else {
                    others.insert(key)
                }
                return true
            }
        }
        let lost = flows.values.filter { $0.again == nil }
        var seen =
            "\(flows.count) flows in \(frames.first) frames; \(flows.count - lost.count) of them again, \(lost.count) missing, "
            + "\(others.count) others in \(frames.then) frames"
        let enough = count.map { $0.holds(for: flows.count) } ?? true
        var verdict: ExpectationVerdict = enough && missing.holds(for: lost.count) ? .pass : .fail
        if flows.isEmpty, verdict == .pass || count == nil {
            // Of no flows none can be missing, whatever the boxes do.
            verdict = .inconclusive
            seen = "no flow was seen on \(first.words)"
        }
        // Flows that the first capture lacks may have been seen again. Frames that the second lacks can only have
        // made fewer flows missing.
        let couldBeFewer = lost.isEmpty && [.equal, .less, .lessOrEqual].contains(missing.relation)
        let event = later.opening ?? window.closing
        let doubt =
            before.lazy.compactMap { $0.doubt(in: window, evidence, from: event) }.first
            ?? (couldBeFewer ? nil : after.lazy.compactMap { $0.doubt(in: later, evidence, from: event) }.first)
        if let doubt {
            verdict = .inconclusive
            seen += "; but \(doubt)"
        }
        return ExpectationResult(
            id: id, verdict: verdict, expected: sentence, seen: seen,
            frames: shown(lost, flows, evidence, from: event))
    }

    /// The last frames of flows that are missing, or one flow's frames before and after.
    private func shown(
        _ lost: [Passing], _ flows: [CarriedFlow: Passing], _ evidence: RunEvidence, from event: LabEvent?
    ) -> [FrameReference] {
        func reference(_ sighting: Sighted?, _ role: String) -> FrameReference? {
            sighting.map {
                FrameReference(
                    capture: $0.capture, number: $0.number, time: $0.time,
                    moment: evidence.moment(of: $0.time, from: event), role: role, note: $0.note)
            }
        }
        let inOrder = lost.sorted { ($0.last?.number ?? 0) < ($1.last?.number ?? 0) }
        if !inOrder.isEmpty {
            return inOrder.prefix(FrameTally.shown).compactMap {
                reference($0.last, "last frame of a missing flow")
            }
        }
        guard let one = flows.values.min(by: { ($0.last?.number ?? 0) < ($1.last?.number ?? 0) }) else { return [] }
        return [reference(one.last, "last frame of its flow before"), reference(one.again, "its first frame after")]
            .compactMap(\.self)
    }

    /// Where a flow was seen.
    private struct Passing {
        var last: Sighted?
        var again: Sighted?
    }
}

/// A frame without its reading, which would take too much memory with very many flows.
private struct Sighted {
    var capture: String
    var number: Int
    var time: Timestamp
    var bytes: [UInt8]
    var note: String { FrameReading(bytes).summary }

    init(_ frame: CapturedFrame) {
        capture = frame.capture
        number = frame.number
        time = frame.time
        bytes = frame.bytes
    }
}

/// The values that a flow's frames have in common.
private struct CarriedFlow: Hashable {
    var values: [FieldValue]

    /// nil for a frame that lacks one of the fields or, without fields, has no IP packet.
    init?(_ reading: FrameReading, _ fields: [FrameField]) {
        values = []
        guard !fields.isEmpty else {
            guard let packet = reading.packet else { return nil }
            values = [
                .address(packet.source), .address(packet.destination), .number(UInt64(packet.proto)),
                .number(UInt64(packet.sourcePort ?? 0)), .number(UInt64(packet.destinationPort ?? 0)),
            ]
            return
        }
        values.reserveCapacity(fields.count)
        for field in fields {
            guard let value = reading.value(of: field) else { return nil }
            values.append(value)
        }
    }
}

extension CarryExpectation.Place {
    fileprivate var words: String {
        var words = "\(node).\(interface)"
        if let match { words += " ('\(match)')" }
        return words + TimeWindow.words(after: after, before: before)
    }

    fileprivate func captures(in evidence: RunEvidence) throws -> [CaptureSummary] {
        let captures = evidence.captures(of: node, interface: interface)
        guard !captures.isEmpty else { throw UndecidableExpectation("nothing was captured on \(node).\(interface)") }
        return captures
    }

    fileprivate func window(in evidence: RunEvidence) throws -> TimeWindow {
        try TimeWindow(after: after, before: before, in: evidence)
    }
}
