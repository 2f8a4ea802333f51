import Evidence
import LabTime

/// The result of one pass over a capture. Its size does not depend on the number of frames.
struct FrameTally: Sendable {
    /// A frame together with its fields.
    struct Sighting: Sendable {
        var capture: String
        var number: Int
        var time: Timestamp
        var reading: FrameReading

        init(_ frame: CapturedFrame, _ reading: FrameReading) {
            capture = frame.capture
            number = frame.number
            time = frame.time
            self.reading = reading
        }
    }

    /// A frame that was not selected, and why not; nearer ones replace it.
    struct NearMiss: Sendable {
        var sighting: Sighting
        var fit: CompiledSelection.Fit
    }

    /// How many frames of each group are kept to be shown.
    static let shown = 3

    private let steps: [[CompiledCheck]]
    private let isSequence: Bool

    private(set) var selected = 0
    private(set) var passing = 0
    private(set) var firstSelected: Sighting?
    private(set) var firstPassing: [Sighting] = []
    private(set) var lastPassing: Sighting?
    private(set) var firstBreaking: [Sighting] = []
    /// Of the selected frames that do not pass, the first of those on which the most checks hold. Of a sequence, for
    /// the step that is still looked for.
    private(set) var closest: (sighting: Sighting, holding: Int)?
    private(set) var nearMiss: NearMiss?
    /// The frames of a sequence's steps that were found.
    private(set) var stepsFound: [Sighting] = []

    init(checks: [CompiledCheck]) {
        steps = [checks]
        isSequence = false
    }

    init(sequence: [[CompiledCheck]]) {
        steps = sequence
        isSequence = true
    }

    var breaking: Int { selected - passing }
    var isSequenceComplete: Bool { stepsFound.count == steps.count }

    mutating func add(_ frame: CapturedFrame, _ selection: CompiledSelection) {
        let reading = FrameReading(frame.bytes)
        let fit = selection.fit(frame, reading)
        guard fit == .selected else {
            if selected == 0 { note(NearMiss(sighting: Sighting(frame, reading), fit: fit)) }
            return
        }
        let sighting = Sighting(frame, reading)
        selected += 1
        if firstSelected == nil { firstSelected = sighting }
        let step = isSequence ? stepsFound.count : 0
        guard step < steps.count else { return }
        if steps[step].hold(for: reading) {
            passing += 1
            if firstPassing.count < Self.shown { firstPassing.append(sighting) }
            lastPassing = sighting
            if isSequence {
                stepsFound.append(sighting)
                closest = nil
            }
        } else {
            if firstBreaking.count < Self.shown { firstBreaking.append(sighting) }
            let holding = steps[step].countHolding(for: reading)
            if closest.map({ holding > $0.holding }) ?? true { closest = (sighting, holding) }
        }
    }

    /// A frame of the right flow and direction at the wrong time is nearer than one of another flow.
    private mutating func note(_ candidate: NearMiss) {
        guard let nearMiss else {
            self.nearMiss = candidate
            return
        }
        switch (candidate.fit, nearMiss.fit) {
        case (.outsideWindow(let distance), .outsideWindow(let best)):
            if distance.magnitude < best.magnitude { self.nearMiss = candidate }
        case (.outsideWindow, _), (.otherDirection, .otherFlow):
            self.nearMiss = candidate
        default:
            break
        }
    }
}

extension Duration {
    var magnitude: Duration { self < .zero ? .zero - self : self }
}
