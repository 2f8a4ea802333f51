/// The result of a tally for a requirement, before any doubt about lost frames.
struct FrameFinding: Sendable {
    var holds: Bool
    /// Whether lost frames could reverse the finding. What was seen stays seen: a frame that breaks
    /// `every` or `none` breaks it whatever else passed, and a frame that `some` looks for has been found.
    var couldChange: Bool
    var seen: String
    var frames: [FrameTally.Sighting] = []
    var nearest: FrameTally.Sighting?

    init(_ requirement: FrameExpectation.Requirement, _ tally: FrameTally) throws(UndecidableExpectation) {
        switch requirement {
        case .every(let checks): self = .every(try .init(checks), tally)
        case .some(let checks): self = .some(try .init(checks), tally)
        case .none(let checks): self = .none(try .init(checks), tally)
        case .count(let comparison, let checks): self = .count(comparison, try .init(checks), tally)
        case .first(let checks): self = .first(try .init(checks), tally)
        case .sequence(let steps):
            guard !steps.isEmpty else { throw UndecidableExpectation("a sequence needs at least one step") }
            self = .sequence(
                try steps.map { (step) throws(UndecidableExpectation) in try [CompiledCheck](step) }, steps, tally)
        }
    }

    private init(
        holds: Bool, couldChange: Bool, seen: String, frames: [FrameTally.Sighting] = [],
        nearest: FrameTally.Sighting? = nil
    ) {
        self.holds = holds
        self.couldChange = couldChange
        self.seen = seen
        self.frames = frames
        self.nearest = nearest
    }

    /// Nothing was selected, where something should have been.
    private static func nothing(_ tally: FrameTally) -> FrameFinding {
        var seen = "no such frame"
        if let miss = tally.nearMiss {
            seen += "; "
            switch miss.fit {
            case .outsideWindow(let distance):
                seen +=
                    "the nearest, #\(miss.sighting.number), passed "
                    + (distance < .zero
                        ? "\(distance.magnitude.forPeople) before the window begins"
                        : "\(distance.forPeople) after the window ends")
            case .otherDirection: seen += "the nearest, #\(miss.sighting.number), went in the other direction"
            case .otherFlow, .selected:
                seen += "the nearest, #\(miss.sighting.number), belongs to another flow"
                if case .otherFlow = miss.fit {
                    seen += "; behind NAT the addresses of a flow differ: use 'match' there"
                }
            }
        }
        return FrameFinding(holds: false, couldChange: true, seen: seen, nearest: tally.nearMiss?.sighting)
    }

    private static func every(_ checks: [CompiledCheck], _ tally: FrameTally) -> FrameFinding {
        guard tally.selected > 0 else { return nothing(tally) }
        guard let breaking = tally.firstBreaking.first else {
            return FrameFinding(
                holds: true, couldChange: true,
                seen: tally.selected == 1 ? "the only frame does" : "all \(tally.selected) frames do",
                frames: tally.ends)
        }
        return FrameFinding(
            holds: false, couldChange: false,
            seen: "\(tally.breaking) of \(frames(tally.selected)) \(tally.breaking == 1 ? "does" : "do") not: "
                + "in #\(breaking.number) \(checks.seenWhereBroken(in: breaking.reading))",
            frames: tally.firstBreaking)
    }

    private static func some(_ checks: [CompiledCheck], _ tally: FrameTally) -> FrameFinding {
        guard tally.selected > 0 else { return nothing(tally) }
        if let first = tally.firstPassing.first {
            return FrameFinding(
                holds: true, couldChange: false,
                seen:
                    "\(tally.passing) of \(frames(tally.selected)) \(tally.passing == 1 ? "does" : "do"), first #\(first.number)",
                frames: tally.firstPassing)
        }
        return FrameFinding(
            holds: false, couldChange: true,
            seen: "none of \(frames(tally.selected)) does" + closestWords(checks, tally),
            nearest: tally.closest?.sighting)
    }

    private static func none(_ checks: [CompiledCheck], _ tally: FrameTally) -> FrameFinding {
        guard let first = tally.firstPassing.first else {
            return FrameFinding(
                holds: true, couldChange: true,
                seen: tally.selected == 0 ? "no such frame" : "none of \(frames(tally.selected)) does",
                frames: tally.firstSelected.map { [$0] } ?? [])
        }
        return FrameFinding(
            holds: false, couldChange: false,
            seen: checks.isEmpty
                ? "\(frames(tally.passing)), first #\(first.number)"
                : "\(tally.passing) of \(frames(tally.selected)) \(tally.passing == 1 ? "does" : "do"), first #\(first.number)",
            frames: tally.firstPassing)
    }

    private static func count(
        _ comparison: Comparison<Int>, _ checks: [CompiledCheck], _ tally: FrameTally
    ) -> FrameFinding {
        let holds = comparison.holds(for: tally.passing)
        // Lost frames can only add to the count: too many stays too many.
        let isTooMany =
            switch comparison.relation {
            case .less, .lessOrEqual: !holds
            case .equal: tally.passing > comparison.value
            case .greater, .greaterOrEqual: false
            }
        var finding = FrameFinding(
            holds: holds, couldChange: !isTooMany, seen: tally.passing == 0 ? "no such frame" : frames(tally.passing),
            frames: holds ? tally.ends : tally.firstPassing)
        if !holds, !isTooMany {
            finding.seen += closestWords(checks, tally)
            finding.nearest = tally.closest?.sighting ?? tally.nearMiss?.sighting
        }
        return finding
    }

    private static func first(_ checks: [CompiledCheck], _ tally: FrameTally) -> FrameFinding {
        guard let first = tally.firstSelected else { return nothing(tally) }
        let holds = checks.hold(for: first.reading)
        return FrameFinding(
            holds: holds, couldChange: true,
            seen: holds
                ? "the first, #\(first.number), has it"
                : "in the first, #\(first.number), \(checks.seenWhereBroken(in: first.reading))",
            frames: [first], nearest: holds ? nil : tally.firstPassing.first)
    }

    private static func sequence(
        _ steps: [[CompiledCheck]], _ written: [[FieldCheck]], _ tally: FrameTally
    ) -> FrameFinding {
        let found = tally.stepsFound.map { "#\($0.number)" }.joined(separator: ", ")
        if tally.isSequenceComplete {
            return FrameFinding(
                holds: true, couldChange: false, seen: "they do: \(found)", frames: tally.stepsFound)
        }
        guard tally.selected > 0 else { return nothing(tally) }
        let missing = tally.stepsFound.count
        let words = written[missing].map(\.words).joined(separator: " and ")
        return FrameFinding(
            holds: false, couldChange: true,
            seen: (found.isEmpty ? "" : "\(found), but then ") + "no frame with \(words.isEmpty ? "anything" : words)"
                + closestWords(steps[missing], tally),
            frames: tally.stepsFound, nearest: tally.closest?.sighting)
    }

    private static func frames(_ count: Int) -> String { count == 1 ? "1 frame" : "\(count) frames" }

    private static func closestWords(_ checks: [CompiledCheck], _ tally: FrameTally) -> String {
        guard let closest = tally.closest else { return "" }
        return "; in the closest, #\(closest.sighting.number), \(checks.seenWhereBroken(in: closest.sighting.reading))"
    }
}

extension FrameTally {
    /// The first and the last frame that pass.
    fileprivate var ends: [Sighting] {
        guard let first = firstPassing.first else { return [] }
        guard let last = lastPassing, last.number != first.number || last.capture != first.capture else {
            return [first]
        }
        return [first, last]
    }
}
