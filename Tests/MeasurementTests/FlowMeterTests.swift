import LabTime
import TestSupport
import Testing

@testable import Measurement

/// Milliseconds of a test's own clock.
private func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: Int64(milliseconds) * 1_000_000) }

@Suite struct `Flow meter` {
    /// A flow asked every 10 ms from 0 on; each answer is the number of a probe and when it came.
    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var asked: Int
        var answers: [(UInt64, Int)]
        var outcome = FlowOutcome.survived
        var end = 1000
        var received: Int
        var duplicated = 0
        var reordered = 0
        /// Start and length in milliseconds.
        var gap: (Int, Int)?
        var lossDerived = 0
    }

    static let cases = [
        Case(testDescription: "nothing asked", asked: 0, answers: [], received: 0),
        Case(testDescription: "one answer", asked: 1, answers: [(0, 1)], received: 1),
        Case(
            testDescription: "all answered", asked: 4, answers: [(0, 1), (1, 11), (2, 21), (3, 31)], received: 4,
            gap: (1, 10)),
        Case(
            testDescription: "three lost in the middle", asked: 6, answers: [(0, 1), (4, 41), (5, 51)], received: 3,
            gap: (1, 40), lossDerived: 30),
        Case(
            testDescription: "two separate losses: the longer counts", asked: 8,
            answers: [(0, 1), (2, 21), (3, 31), (6, 61), (7, 71)], received: 5, gap: (31, 30), lossDerived: 20),
        Case(
            testDescription: "delayed, not lost: the methods disagree", asked: 4,
            answers: [(0, 1), (1, 500), (2, 500), (3, 500)], received: 4, gap: (1, 499)),
        Case(
            testDescription: "duplicates end no gap", asked: 4, answers: [(0, 1), (0, 15), (0, 16), (3, 31)],
            received: 2, duplicated: 2, gap: (1, 30), lossDerived: 20),
        Case(
            testDescription: "reordered answers end no gap", asked: 5, answers: [(1, 11), (0, 35), (4, 61)],
            received: 3, reordered: 1, gap: (11, 50), lossDerived: 20),
        Case(
            testDescription: "a swapped pair", asked: 3, answers: [(1, 11), (0, 12), (2, 21)], received: 3,
            reordered: 1,
            gap: (11, 10)),
        Case(
            testDescription: "timed out: the gap that no answer ended", asked: 5, answers: [(0, 1), (1, 11)],
            outcome: .timedOut, end: 2020, received: 2, gap: (11, 2009), lossDerived: 30),
        Case(
            testDescription: "timed out after one answer", asked: 3, answers: [(0, 1)], outcome: .timedOut, end: 2010,
            received: 1, gap: (1, 2009), lossDerived: 20),
        Case(
            testDescription: "reset long after a longer gap", asked: 10, answers: [(0, 1), (8, 81)], outcome: .reset,
            end: 95, received: 2, gap: (1, 80), lossDerived: 70),
        Case(
            testDescription: "never answered", asked: 3, answers: [], outcome: .timedOut, end: 2000, received: 0,
            lossDerived: 30),
        Case(
            testDescription: "survived: what follows the last answer is no gap", asked: 2, answers: [(0, 1), (1, 11)],
            end: 900, received: 2, gap: (1, 10)),
    ]

    @Test(arguments: cases)
    func `figures follow from what was asked and answered`(_ row: Case) {
        var meter = FlowMeter(cadence: .milliseconds(10), patience: .seconds(2))
        var answers = row.answers[...]
        for number in 0..<row.asked {
            while let (sequence, time) = answers.first, time < number * 10 {
                meter.answered(sequence, at: at(time))
                answers.removeFirst()
            }
            #expect(meter.ask(at: at(number * 10)) == UInt64(number))
        }
        for (sequence, time) in answers { meter.answered(sequence, at: at(time)) }

        let reading = meter.reading(endedAt: at(row.end), outcome: row.outcome)
        #expect(reading.sent == row.asked)
        #expect(reading.received == row.received)
        #expect(reading.lost == row.asked - row.received)
        #expect(reading.duplicated == row.duplicated)
        #expect(reading.reordered == row.reordered)
        #expect(reading.longestGapStart == row.gap.map { at($0.0) })
        #expect(reading.longestGap == row.gap.map { .milliseconds($0.1) })
        #expect(reading.lossDerivedGap == .milliseconds(row.lossDerived))
    }

    @Test func `timeout runs from the first probe above the highest answered one`() {
        var meter = FlowMeter(cadence: .milliseconds(10), patience: .milliseconds(100))
        #expect(meter.timesOutAt == nil && meter.isSettled)
        for number in 0..<5 { _ = meter.ask(at: at(number * 10)) }
        #expect(meter.timesOutAt == at(100))
        // Probes 0 and 1 are lost, which is no reason to give up: 2 was answered.
        meter.answered(2, at: at(45))
        #expect(meter.timesOutAt == at(130))
        #expect(!meter.hasTimedOut(at: at(129)))
        #expect(meter.hasTimedOut(at: at(130)))
        // Late answers to older probes change nothing.
        meter.answered(0, at: at(50))
        #expect(meter.timesOutAt == at(130))
        meter.answered(4, at: at(60))
        #expect(meter.isSettled && meter.timesOutAt == nil && !meter.hasTimedOut(at: at(9999)))
        _ = meter.ask(at: at(200))
        #expect(meter.timesOutAt == at(300))
    }

    @Test func `probes asked only to learn whether the path is alive count where they were answered`() {
        var meter = FlowMeter(cadence: .milliseconds(10), patience: .seconds(1))
        for number in 0..<8 { _ = meter.ask(at: at(number * 10)) }
        for sequence: UInt64 in [0, 1, 2, 5] { meter.answered(sequence, at: at(80 + Int(sequence))) }
        #expect(!meter.isAnswered(from: 6) && meter.isAnswered(from: 3))
        let reading = meter.reading(endedAt: at(100), outcome: .survived, lastCounted: 3)
        #expect(reading.sent == 6 && reading.received == 4 && reading.lost == 2)
        #expect(reading.lossDerivedGap == .milliseconds(20))
        #expect(meter.reading(endedAt: at(100), outcome: .survived).lost == 4)
    }

    @Test func `numbers that were never asked are counted apart`() {
        var meter = FlowMeter(cadence: .milliseconds(10), patience: .seconds(1))
        _ = meter.ask(at: at(0))
        meter.answered(1, at: at(1))
        meter.answered(.max, at: at(1))
        #expect(meter.unasked == 2 && meter.received == 0)
    }

    @Test func `a flow of any length needs the memory of two patiences, and its losses stay counted`() {
        var meter = FlowMeter(cadence: .milliseconds(10), patience: .seconds(2))
        for number in 0..<10_000 {
            let sequence = meter.ask(at: at(number * 10))
            if !(100..<150).contains(number) { meter.answered(sequence, at: at(number * 10 + 1)) }
        }
        meter.answered(120, at: at(100_000))
        let reading = meter.reading(endedAt: at(100_000), outcome: .survived)
        #expect(meter.forgotten == 1)
        #expect(reading.lost == 50 && reading.lossDerivedGap == .milliseconds(500))
        #expect(reading.longestGap == .milliseconds(510))
    }

    @Test(arguments: UInt64(1)...30)
    func `the figures of any flow agree with counting by hand`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let count = 400
        // Deliveries: lost, once, or twice, each with a delay of its own.
        var deliveries: [(at: Int, sequence: UInt64)] = []
        for number in 0..<count {
            for _ in 0..<[0, 1, 1, 1, 1, 2].randomElement(using: &generator)! {
                deliveries.append((number * 10 + .random(in: 1...60, using: &generator), UInt64(number)))
            }
        }
        deliveries.sort { ($0.at, $0.sequence) < ($1.at, $1.sequence) }

        var meter = FlowMeter(cadence: .milliseconds(10), patience: .seconds(2))
        for number in 0..<count { _ = meter.ask(at: at(number * 10)) }
        var (seen, duplicated, reordered, highest) = (Set<UInt64>(), 0, 0, -1)
        for delivery in deliveries {
            meter.answered(delivery.sequence, at: at(delivery.at))
            if !seen.insert(delivery.sequence).inserted {
                duplicated += 1
            } else if Int(delivery.sequence) < highest {
                reordered += 1
            } else {
                highest = Int(delivery.sequence)
            }
        }
        let reading = meter.reading(endedAt: at(9999), outcome: .survived)
        #expect(reading.received == seen.count, "seed \(seed)")
        #expect(reading.lost == count - seen.count, "seed \(seed)")
        #expect(reading.duplicated == duplicated, "seed \(seed)")
        #expect(reading.reordered == reordered, "seed \(seed)")
    }
}
