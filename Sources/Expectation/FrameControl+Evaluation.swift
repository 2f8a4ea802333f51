import Evidence
import LabTime

/// The evidence that absent frames could have been seen.
extension FrameExpectation {
    /// The expectation that a control's frames are there.
    func applying(_ control: FrameControl) -> FrameExpectation {
        let hasWindow = control.after != nil || control.before != nil || control.within != nil
        return FrameExpectation(
            node: control.node ?? node, interface: control.interface ?? interface, match: control.match,
            flowsOf: control.flowsOf, direction: control.direction, after: hasWindow ? control.after : after,
            before: hasWindow ? control.before : before, within: hasWindow ? control.within : within,
            requirement: .some([]))
    }

    /// Why the absence of frames proves nothing here; nil where it does.
    ///
    /// Without a control of the lab's own, the same selection without window and conditions must match somewhere in the
    /// run: a filter that can match nothing would prove everything. Of one direction of a program's flows, the other one
    /// on the same interface will do: the flows pass there, and nobody answers.
    ///
    /// - Parameter selected: whether the window itself holds selected frames, which only do not pass the checks
    func lackOfControl(
        _ window: TimeWindow, selected: Bool, _ captures: [CaptureSummary], in evidence: RunEvidence
    ) throws -> String? {
        if let lack = window.lacksEvidence(
            until: try runEnd(for: window, captures, in: evidence),
            TimeWindow.words(after: after, before: before, within: within))
        {
            return lack
        }
        if let control {
            let wanted = applying(control)
            let places = evidence.captures(of: wanted.node, interface: wanted.interface)
            guard try wanted.matches(on: places, in: evidence) else {
                return "no frame \(words(of: control)), which is the control"
            }
            return nil
        }
        if selected { return nil }
        var anywhere = self
        (anywhere.after, anywhere.before, anywhere.within) = (nil, nil, nil)
        if try anywhere.matches(on: captures, in: evidence) { return nil }
        var bothDirections = anywhere
        bothDirections.direction = nil
        if direction != nil, try bothDirections.matches(on: captures, in: evidence) { return nil }
        let others = evidence.captures.filter { !captures.contains($0) }
        if try anywhere.matches(on: others, in: evidence) { return nil }
        return
            "no frame of the run matches, at any time on any interface, so there is no evidence that one would have been seen; "
            + "name frames that must be there with 'control'"
    }

    /// Until when the captures are known to have been open: at least until the last event, else until their last frame.
    private func runEnd(
        for window: TimeWindow, _ captures: [CaptureSummary], in evidence: RunEvidence
    ) throws -> Timestamp? {
        guard let last = evidence.lastEventTime else { return nil }
        let needed = window.end ?? window.start.map { $0 + .nanoseconds(1) }
        guard let needed, needed > last else { return last }
        var end = last
        for capture in captures {
            try evidence.source.frames(of: capture, matching: nil) { frame in
                end = max(end, frame.time)
                return true
            }
        }
        return end
    }

    /// Whether any frame of these captures is selected.
    private func matches(on captures: [CaptureSummary], in evidence: RunEvidence) throws -> Bool {
        let selection = try CompiledSelection(self, in: evidence)
        var isFound = false
        for capture in captures where !isFound {
            try evidence.source.frames(of: capture, matching: match) { frame in
                isFound = selection.fit(frame, FrameReading(frame.bytes)) == .selected
                return !isFound
            }
        }
        return isFound
    }
}
