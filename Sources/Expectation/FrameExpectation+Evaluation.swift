public import Evidence
import LabTime

extension FrameExpectation {
    /// Reads the capture once and evaluates it.
    /// - Throws: whatever keeps the evidence from deciding
    public func evaluate(id: String, in evidence: RunEvidence) throws -> ExpectationResult {
        let captures = evidence.captures(of: node, interface: interface)
        guard !captures.isEmpty else {
            let known = evidence.captures.map { "\($0.node).\($0.interface)" }.joined(separator: ", ")
            throw UndecidableExpectation(
                "nothing was captured on \(node).\(interface)" + (known.isEmpty ? "" : " (captures: \(known))"))
        }
        let selection = try CompiledSelection(self, in: evidence)
        var tally = try makeTally()
        for capture in captures {
            try evidence.source.frames(of: capture, matching: match) { frame in
                tally.add(frame, selection)
                return true
            }
        }
        let finding = try FrameFinding(requirement, tally)
        // A frame lost after the first frame was not the first.
        var window = selection.window
        if case .first = requirement, let first = tally.firstSelected { window.end = first.time }
        let anchor = selection.window.reference
        let doubt = captures.lazy.compactMap { $0.doubt(in: window, evidence, from: anchor) }.first
        var seen = finding.seen
        var verdict: ExpectationVerdict = finding.holds ? .pass : .fail
        if let doubt, finding.couldChange {
            verdict = .inconclusive
            seen += "; but \(doubt)"
        } else if finding.holds, tally.passing == 0, requirement.isBorneOutByAbsence,
            let lack = try lackOfControl(
                selection.window, selected: tally.selected > 0, captures, in: evidence)
        {
            verdict = .inconclusive
            seen += "; but \(lack)"
        }
        func reference(_ sighting: FrameTally.Sighting) -> FrameReference {
            FrameReference(
                capture: sighting.capture, number: sighting.number, time: sighting.time,
                moment: evidence.moment(of: sighting.time, from: anchor),
                note: sighting.reading.summary)
        }
        let frames = finding.frames.map(reference)
        let nearest = finding.nearest.map(reference)
        return ExpectationResult(
            id: id, verdict: verdict, expected: sentence, seen: seen, frames: frames, nearest: nearest,
            wiresharkFilter: displayFilter(
                for: verdict, selection, shown: frames + (nearest.map { [$0] } ?? []),
                foundNothing: tally.selected == 0,
                in: evidence))
    }

    private func makeTally() throws(UndecidableExpectation) -> FrameTally {
        switch requirement {
        case .every(let checks), .some(let checks), .none(let checks), .count(_, let checks), .first(let checks):
            FrameTally(checks: try .init(checks))
        case .sequence(let steps):
            FrameTally(
                sequence: try steps.map { (step) throws(UndecidableExpectation) in try [CompiledCheck](step) })
        }
    }
}
