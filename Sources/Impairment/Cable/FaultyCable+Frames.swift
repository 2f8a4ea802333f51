public import Dataplane
import LabEvents
public import LabTime
internal import Wire

extension FaultyCable {
    /// Handles frames that arrived together: selected ones by their rules, all others at once.
    /// - Complexity: O(1) a frame without armed rules, else O(rules + frames held by rules that wait for frames)
    public mutating func process(_ frames: UnsafeBufferPointer<Frame>, at now: Instant, into output: inout FrameQueue) {
        held.reclaim()
        if isIdle {
            for frame in frames where !Self.isMarker(frame) { send(frame, into: &output) }
            return
        }
        for frame in frames where !Self.isMarker(frame) { process(frame, at: now, into: &output) }
        if held.count == 0 { settle() }
    }

    /// Sends every frame that is due.
    public mutating func advance(to now: Instant, into output: inout FrameQueue) {
        held.reclaim()
        sendDue(at: now, into: &output)
        if held.count == 0 { settle() }
    }

    private static func isMarker(_ frame: Frame) -> Bool {
        // Guard: 14 bytes.
        guard frame.length >= EthernetHeader.length else { return false }
        return UnsafeRawPointer(frame.base).readUInt16(at: 12) == EtherType.localExperimental.rawValue
    }

    /// Out at the other port.
    private mutating func send(_ frame: Frame, into output: inout FrameQueue) {
        var frame = frame
        frame.port ^= 1
        if output.append(frame) { tally.passed &+= 1 } else { tally.queueFull &+= 1 }
    }

    /// How a frame leaves, as its rules decided so far.
    private struct FrameSchedule {
        var departure: Instant
        /// The rule that made it wait.
        var rule = 0
        var copies: (count: Int, gap: Duration, rule: Int)?
    }

    private mutating func process(_ frame: Frame, at now: Instant, into output: inout FrameQueue) {
        arrivals += 1
        let bytes = UnsafeRawBufferPointer(frame.bytes)
        var facts = FrameFacts(bytes, number: arrivals, direction: frame.port == 0 ? .fromNear : .fromFar)
        if tracks { tracker.see(&facts) }
        var schedule = FrameSchedule(departure: now)
        for index in rules.indices where rules[index].isArmed {
            let other = rules[index].rule.selection.flowOf
            let flows = other.map { name in self.index(of: name).map { rules[$0].flows } ?? [] }
            guard rules[index].selects(bytes, facts, flowsOfOther: flows) else { continue }
            if !act(index, on: frame, facts, &schedule, at: now) { return sendDue(at: now, into: &output) }
        }
        if schedule.departure > now {
            if keep(bytes, facts, schedule.rule, until: schedule.departure, at: now) {
                sendCopies(frame, facts, schedule, at: now, into: &output)
            }
        } else {
            send(frame, into: &output)
            sendCopies(frame, facts, schedule, at: now, into: &output)
            passed(bytes, facts, at: now)
        }
        sendDue(at: now, into: &output)
    }

    /// - Returns: false where the frame does not leave by itself
    private mutating func act(
        _ index: Int, on frame: Frame, _ facts: FrameFacts, _ schedule: inout FrameSchedule, at now: Instant
    )
        -> Bool
    {
        let bytes = UnsafeRawBufferPointer(frame.bytes)
        switch rules[index].rule.action {
        case .drop:
            rules[index].acted(on: facts)
            tally.dropped &+= 1
            report(.dropped, index, at: now, details(facts))
            return false
        case .lose(let loss):
            guard rules[index].loses(loss) else { return true }
            rules[index].acted(on: facts)
            tally.dropped &+= 1
            report(.lost, index, at: now, details(facts))
            return false
        case .delay(let delay):
            rules[index].acted(on: facts)
            let direction = Int(facts.direction.rawValue)
            let sample = rules[index].random.sample(delay.time)
            var departure = schedule.departure + (delay.atMost.map { min($0, sample) } ?? sample)
            if delay.keepsOrder, let last = rules[index].lastDeparture[direction] { departure = max(departure, last) }
            rules[index].lastDeparture[direction] = departure
            report(.delayed, index, at: now, details(facts, [.by: Self.words(departure - schedule.departure)]))
            (schedule.departure, schedule.rule) = (departure, index)
            return true
        case .duplicate(let duplication):
            rules[index].acted(on: facts)
            schedule.copies = (duplication.copies, duplication.gap, index)
            report(.duplicated, index, at: now, details(facts, [.copies: "\(duplication.copies)"]))
            return true
        case .hold(let hold):
            rules[index].acted(on: facts)
            let isHeld = wait(
                bytes, facts, index, remaining: hold.until.frame?.number ?? 1, atMost: hold.until.time, at: now)
            if isHeld { report(.held, index, at: now, details(facts, [.copy: hold.copy ? "on" : "off"])) }
            return hold.copy
        case .corrupt(let corruption):
            guard let flip = BitFlip(corruption, frame: bytes, layout: facts.layout, &rules[index].random) else {
                return true
            }
            rules[index].acted(on: facts)
            flip.apply(to: frame.bytes)
            if corruption.checksums == .fixed, let layout = facts.layout {
                BitFlip.fixChecksums(of: frame.bytes, layout)
            }
            report(
                .corrupted, index, at: now,
                details(
                    facts, [.byte: "\(flip.byte)", .bit: "\(flip.bit)", .checksums: corruption.checksums.rawValue]))
            return true
        case .reorder(let reordering):
            rules[index].acted(on: facts)
            if wait(bytes, facts, index, remaining: reordering.behind, atMost: reordering.atMost, at: now) {
                report(.reordered, index, at: now, details(facts, [.behind: "\(reordering.behind)"]))
            }
            return false
        case .limit(let limit):
            rules[index].acted(on: facts)
            guard let departure = rules[index].pass(limit, bytes: bytes.count, facts.direction, at: schedule.departure)
            else {
                tally.dropped &+= 1
                report(.dropped, index, at: now, details(facts, [.reason: "the queue of the rate limit is full"]))
                return false
            }
            if departure > schedule.departure {
                report(.limited, index, at: now, details(facts, [.by: Self.words(departure - schedule.departure)]))
                (schedule.departure, schedule.rule) = (departure, index)
            }
            return true
        }
    }

    /// Copies of a frame that leaves, or will leave, by itself.
    private mutating func sendCopies(
        _ frame: Frame, _ facts: FrameFacts, _ schedule: FrameSchedule, at now: Instant, into output: inout FrameQueue
    ) {
        guard let copies = schedule.copies, copies.count > 0 else { return }
        for number in 1...copies.count {
            let departure = schedule.departure + copies.gap * number
            if departure > now {
                _ = keep(
                    UnsafeRawBufferPointer(frame.bytes), facts, copies.rule, until: departure, isCopy: true, at: now)
            } else {
                send(frame, into: &output)
            }
        }
    }

    /// Keeps a frame until an instant; if the buffer is full it is lost, as in a full queue.
    private mutating func keep(
        _ bytes: UnsafeRawBufferPointer, _ facts: FrameFacts, _ index: Int, until instant: Instant,
        isCopy: Bool = false,
        at now: Instant
    ) -> Bool {
        guard
            let place = held.keep(bytes, facts, rule: index, remaining: 0, isWaiting: false, reportsRelease: false)
        else {
            overflowed(facts, index, isCopy: isCopy, at: now)
            return false
        }
        held.release(place, at: instant)
        tally.mostHeld = max(tally.mostHeld, held.count)
        return true
    }

    /// Keeps a frame until frames have passed, something has happened, or the time is over.
    private mutating func wait(
        _ bytes: UnsafeRawBufferPointer, _ facts: FrameFacts, _ index: Int, remaining: Int, atMost: Duration?,
        at now: Instant
    ) -> Bool {
        guard
            let place = held.keep(
                bytes, facts, rule: index, remaining: remaining, isWaiting: true, reportsRelease: true)
        else {
            if case .hold(let hold) = rules[index].rule.action {
                overflowed(facts, index, isCopy: hold.copy, at: now)
            } else {
                overflowed(facts, index, isCopy: false, at: now)
            }
            return false
        }
        rules[index].waiting.append(place)
        if let atMost { held.release(place, at: now + atMost) }
        tally.mostHeld = max(tally.mostHeld, held.count)
        return true
    }

    private mutating func overflowed(_ facts: FrameFacts, _ index: Int, isCopy: Bool, at now: Instant) {
        tally.overflows &+= 1
        if !isCopy { tally.dropped &+= 1 }
        report(.overflow, index, at: now, details(facts, [.lost: isCopy ? "the copy" : "the frame"]))
    }

    /// A frame has left: frames that wait for it may follow it.
    private mutating func passed(_ bytes: UnsafeRawBufferPointer, _ facts: FrameFacts, at now: Instant) {
        for index in rules.indices where !rules[index].waiting.isEmpty {
            guard rules[index].isAwaited(bytes, facts) else { continue }
            for place in rules[index].waiting where rules[index].belongs(facts, to: held[place].facts) {
                held[place].remaining -= 1
                if held[place].remaining <= 0 { letGo(place, at: now) }
            }
            forgetReleased(index)
        }
    }

    /// Makes a waiting frame leave after its rule's wait.
    private mutating func letGo(_ place: Int, at now: Instant) {
        var wait = Duration.zero
        if case .hold(let hold) = rules[held[place].rule].rule.action { wait = hold.until.wait }
        held[place].isWaiting = false
        held.release(place, at: now + wait)
    }

    private mutating func forgetReleased(_ index: Int) {
        // Not `removeAll(where:)`: the closure would have to borrow the store while the rules are changed.
        var waiting: [Int] = []
        for place in rules[index].waiting where held[place].isWaiting { waiting.append(place) }
        rules[index].waiting = waiting
    }

    /// Releases all that a rule holds.
    mutating func letGoAll(_ index: Int, at now: Instant) {
        for place in rules[index].waiting {
            held[place].isWaiting = false
            held.release(place, at: now)
        }
        rules[index].waiting = []
    }

    /// An event of the lab has happened.
    mutating func labEvent(_ name: String, at now: Instant) {
        for index in rules.indices where !rules[index].waiting.isEmpty {
            guard case .hold(let hold) = rules[index].rule.action, hold.until.event == name else { continue }
            for place in rules[index].waiting { letGo(place, at: now) }
            rules[index].waiting = []
        }
    }

    /// Frames whose time has come, as long as the queue takes them; each may let further ones go.
    mutating func sendDue(at now: Instant, into output: inout FrameQueue) {
        // Half of the queue is for frames that arrive: a frame that is not selected never waits for space.
        while output.count < output.capacity / 2, let place = held.nextDue(at: now) {
            let frame = held[place]
            if frame.isWaiting {
                rules[frame.rule].waiting.removeAll { $0 == place }
            }
            held.leave(place)
            if frame.reportsRelease { report(.released, frame.rule, at: now, details(frame.facts)) }
            let port: PortIndex = frame.facts.direction == .fromNear ? 0 : 1
            send(Frame(base: frame.base, length: Int32(frame.length), port: port, side: .wire), into: &output)
            passed(UnsafeRawBufferPointer(start: frame.base, count: frame.length), frame.facts, at: now)
        }
    }

    /// `12.5 ms`, by integers so that it is the same everywhere.
    private static func words(_ duration: Duration) -> String {
        let microseconds = duration.nanoseconds / 1000
        let rest = microseconds % 1000
        if rest == 0 { return "\(microseconds / 1000) ms" }
        let digits = "\(rest)"
        return "\(microseconds / 1000)." + String(repeating: "0", count: 3 - digits.count) + digits + " ms"
    }
}
