import LabEvents
import LabTime
import Redundancy
import Testing
import Wire

/// Who takes the role where the boxes of a pair do not start at once.
struct StartupTests {
    private static let period: Duration = .seconds(2)

    /// The box of lower priority has started, its peer has not; nobody preempts.
    private func startedAlone() -> PairSimulation {
        var pair = PairSimulation(preempts: [false, false], startupSilentPeriod: Self.period)
        pair.start(1)
        return pair
    }

    @Test func `a standby that starts before its peer leaves the role to it, however late that is within the period`() {
        for late in stride(from: Int64(0), to: 2000, by: 130) {
            var pair = startedAlone()
            pair.run(for: .milliseconds(late))
            #expect(pair.roles == [nil, .backup], "\(late) ms")
            pair.start(0)
            pair.run(for: .milliseconds(1))
            #expect(pair.roles == [.active, .backup], "\(late) ms")
            pair.run(for: .seconds(10))
            #expect(pair.reports(1, .active).isEmpty && pair.reports(1, .peerDown).isEmpty, "\(late) ms")
        }
    }

    @Test func `a box whose peer never speaks takes the role when the period is over`() {
        var pair = startedAlone()
        pair.run(for: Self.period - .nanoseconds(1))
        #expect(pair.roles == [nil, .backup])
        pair.run(for: .nanoseconds(1))
        #expect(pair.roles == [nil, .active])
        #expect(pair.reports(1, .ready).count == 1)
    }

    @Test func `without carrier on the cross-connect nobody can be there, and the Active-down interval counts`() {
        var pair = startedAlone()
        pair.crossConnectCarrier(1, isUp: false)
        pair.run(for: .microseconds(360_937))
        #expect(pair.roles == [nil, .backup])
        pair.run(for: .microseconds(1))
        #expect(pair.roles == [nil, .active])
        // Lost later, when that interval is over, it counts at once.
        pair = startedAlone()
        pair.run(for: .seconds(1))
        #expect(pair.roles == [nil, .backup])
        pair.crossConnectCarrier(1, isUp: false)
        #expect(pair.roles == [nil, .active])
    }

    @Test func `an Active that is heard by its advertisements ends the period: its death is noticed in the usual time`()
    {
        var pair = PairSimulation(preempts: [false, false], startupSilentPeriod: Self.period)
        pair.start(0)
        pair.run(for: .seconds(3))
        #expect(pair.roles == [.active, nil])
        pair.crossConnectIsUp = false
        pair.start(1)
        pair.run(for: .milliseconds(500))
        #expect(pair.roles == [.active, .backup])
        pair.powerOff(0)
        pair.run(for: .milliseconds(361))
        #expect(pair.roles == [nil, .active])
    }

    @Test func `a box that nobody can be understood by does not wait`() {
        var pair = startedAlone()
        pair.run(for: .milliseconds(200))
        pair.boxes[1].election.peerIsForeign(at: pair.now)
        pair.run(for: .microseconds(160_938))
        #expect(pair.roles == [nil, .active])
    }

    @Test func `a box alone without any carrier takes no role when the period is over`() {
        var pair = startedAlone()
        for router in 0..<2 { pair.carrier(1, router: router, isUp: false) }
        pair.run(for: .seconds(5))
        #expect(pair.roles == [nil, .backup])
        pair.carrier(1, router: 0, isUp: true)
        // The Active-down interval of priority 1: the one link that is left.
        pair.run(for: .milliseconds(400))
        #expect(pair.roles == [nil, .active])
    }
}
