import Evidence
import LabTime
import Testing

@testable import Capture

@Suite struct `A capture's losses` {
    private static func at(_ milliseconds: Int64) -> Timestamp {
        Timestamp(nanoseconds: 1_000_000_000_000) + .milliseconds(milliseconds)
    }

    /// Asked at these milliseconds, answered a millisecond later.
    private func ledger(_ answers: (Int64, Int?)...) -> LossLedger {
        var ledger = LossLedger(start: Self.at(0))
        for (time, count) in answers { ledger.note(count, asked: Self.at(time), answered: Self.at(time + 1)) }
        return ledger
    }

    @Test func `lie between the two counts that differ`() {
        let ledger = ledger((20, 0), (40, 0), (60, 5), (80, 5))
        #expect(ledger.losses == [CaptureLoss(from: Self.at(40) - LossLedger.slack, to: Self.at(61), frames: 5)])
        #expect(ledger.dropped == 5)
    }

    @Test func `that follow each other are one`() {
        let ledger = ledger((20, 0), (40, 2), (60, 5), (80, 5), (100, 6))
        #expect(
            ledger.losses == [
                CaptureLoss(from: Self.at(20) - LossLedger.slack, to: Self.at(61), frames: 5),
                CaptureLoss(from: Self.at(80) - LossLedger.slack, to: Self.at(101), frames: 1),
            ])
    }

    @Test func `may be anywhere since the last count where some counts were not given`() {
        let ledger = ledger((20, 0), (40, nil), (60, nil), (80, 1))
        #expect(ledger.losses == [CaptureLoss(from: Self.at(20) - LossLedger.slack, to: Self.at(81), frames: 1)])
    }

    @Test func `are unknown from the last count on where the last one was not given`() {
        var ledger = ledger((20, 0), (40, 3))
        ledger.close(nil, asked: Self.at(60), answered: Self.at(61))
        #expect(
            ledger.losses == [
                CaptureLoss(from: Self.at(20) - LossLedger.slack, to: Self.at(41), frames: 3),
                CaptureLoss(from: Self.at(40) - LossLedger.slack, to: Self.at(61), frames: nil),
            ])
        #expect(ledger.dropped == 3)
    }

    @Test func `are none where no count grew`() {
        var ledger = ledger((20, 0), (40, 0))
        ledger.close(0, asked: Self.at(60), answered: Self.at(61))
        #expect(ledger.losses.isEmpty)
    }

    @Test func `are listed within bounds, and none is left out`() {
        var ledger = LossLedger(start: Self.at(0))
        for step in 1...5000 {
            let time = Int64(step) * 100
            // The count grows every second time, so that no two losses touch.
            ledger.note((step + 1) / 2, asked: Self.at(time), answered: Self.at(time + 1))
        }
        #expect(ledger.losses.count == LossLedger.mostLosses)
        #expect(ledger.losses.reduce(0) { $0 + $1.frames! } == 2500)
        #expect(ledger.losses.last!.to > Self.at(499_000))
    }
}
