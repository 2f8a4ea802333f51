import LabEvents
import LabTime
import Redundancy
import Testing
import Wire

struct ElectionTests {
    /// A pair that has settled: box 0 (priority 200) is Active.
    func settled(preempts: [Bool] = [true, true]) -> PairSimulation {
        var pair = PairSimulation(preempts: preempts)
        pair.startBoth()
        pair.run(for: .milliseconds(500))
        return pair
    }

    @Test func `boxes that hear each other's heartbeat settle without waiting for the Active-down interval`() {
        var pair = PairSimulation()
        pair.startBoth()
        pair.run(for: .milliseconds(1))
        #expect(pair.roles == [.active, .backup])
        #expect(pair.reports(0, .ready).map { $0.details[.role] } == ["active"])
        #expect(pair.reports(1, .ready).map { $0.details[.role] } == ["backup"])
    }

    @Test func `a box that starts alone becomes Active after the Active-down interval`() {
        var pair = PairSimulation()
        pair.start(1)
        pair.run(for: .microseconds(360_937))
        #expect(pair.roles == [nil, .backup])
        pair.run(for: .microseconds(1))
        #expect(pair.roles == [nil, .active])
        #expect(pair.reports(1, .ready).count == 1)
    }

    @Test func `between equal priorities the greater cross-connect address becomes Active`() {
        var pair = PairSimulation(priorities: [100, 100])
        pair.startBoth()
        pair.run(for: .milliseconds(500))
        #expect(pair.roles == [.backup, .active])
    }

    @Test func `a requested switchover moves the role within two messages, and it stays moved`() {
        var pair = settled()
        let answer1 = pair.switchOver(0)
        #expect(answer1 == nil)
        #expect(!pair.boxes[0].isForwarding)
        pair.run(for: .microseconds(50))
        #expect(pair.roles == [.backup, .active])
        pair.run(for: .seconds(10))
        #expect(pair.roles == [.backup, .active])
        #expect(pair.reports(0, .active).count == 1)
        #expect(pair.reports(0, .switchover).count == 1)
    }

    @Test func `a second request brings the role back`() {
        var pair = settled()
        let answer2 = pair.switchOver(0)
        #expect(answer2 == nil)
        pair.run(for: .milliseconds(200))
        let answer3 = pair.switchOver(1)
        #expect(answer3 == nil)
        pair.run(for: .milliseconds(200))
        #expect(pair.roles == [.active, .backup])
        pair.run(for: .seconds(5))
        #expect(pair.roles == [.active, .backup])
    }

    @Test func `a Backup refuses a request to switch over`() {
        var pair = settled()
        let answer4 = pair.switchOver(1)
        #expect(answer4 == .notActive)
        #expect(pair.roles == [.active, .backup])
    }

    @Test func `an Active refuses to switch over to a peer that has not received the sessions yet`() {
        var pair = settled()
        pair.powerOff(1)
        pair.run(for: .seconds(1))
        pair.start(1)
        pair.run(for: .milliseconds(5))
        let early = pair.switchOver(0)
        #expect(early == .peerWithoutSessions && pair.roles == [.active, .backup])
        pair.run(for: .milliseconds(100))
        let late = pair.switchOver(0)
        #expect(late == nil)
        pair.run(for: .milliseconds(1))
        #expect(pair.roles == [.backup, .active])
    }

    @Test func `an Active that hears no peer refuses a request to switch over`() {
        var pair = settled()
        pair.powerOff(1)
        pair.run(for: .seconds(1))
        let answer5 = pair.switchOver(0)
        #expect(answer5 == .peerSilent)
        #expect(pair.roles == [.active, nil])
    }

    @Test func `a switchover whose every cross-connect message is lost once still completes by repetition`() {
        var pair = settled()
        pair.crossConnectIsUp = false
        pair.networkIsUp = [false, false]
        let answer6 = pair.switchOver(0)
        #expect(answer6 == nil)
        pair.crossConnectIsUp = true
        pair.run(for: .milliseconds(6))
        #expect(pair.roles == [.backup, .active])
    }

    @Test func `an Active takes the role back where its peer does not take over`() {
        var pair = settled()
        pair.powerOff(1)
        let answer7 = pair.switchOver(0)
        #expect(answer7 == nil)
        pair.run(for: .milliseconds(100))
        #expect(pair.roles == [.active, nil])
    }

    @Test func `the peer of a dead Active takes over when heartbeats are missed and the next advertisement is overdue`()
    {
        var pair = settled()
        pair.powerOff(0)
        let died = pair.now
        pair.run(for: .seconds(1))
        #expect(pair.roles == [nil, .active])
        let took = pair.reports(1, .active)[0].at - died
        #expect(took <= PairSimulation.detectionBound)
        #expect(took > PairSimulation.heartbeat.bound)
    }

    @Test func `with a heartbeat of 5 ms and advertisements each 10 ms a dead Active is replaced within 25 ms`() {
        var pair = PairSimulation(
            advertisementInterval: .milliseconds(10),
            heartbeat: HeartbeatSettings(interval: .milliseconds(5), misses: 3))
        pair.startBoth()
        pair.run(for: .milliseconds(503))
        pair.powerOff(0)
        let died = pair.now
        pair.run(for: .milliseconds(100))
        #expect(pair.reports(1, .active)[0].at - died <= .milliseconds(25))
    }

    @Test func `a cut cross-connect changes no role while advertisements arrive`() {
        var pair = settled()
        pair.crossConnectIsUp = false
        pair.run(for: .seconds(10))
        #expect(pair.roles == [.active, .backup])
        #expect(pair.reports(1, .active).isEmpty)
        #expect(pair.reports(1, .crossConnectDown).count == 1)
        pair.crossConnectIsUp = true
        pair.run(for: .seconds(1))
        #expect(pair.roles == [.active, .backup])
        #expect(pair.reports(0, .dualActive).isEmpty)
    }

    @Test func `silent advertisements change no role while heartbeats arrive`() {
        var pair = settled()
        pair.networkIsUp = [false, false]
        pair.run(for: .seconds(10))
        #expect(pair.roles == [.active, .backup])
    }

    @Test func `with the cross-connect cut a dead Active is noticed by its missing advertisements`() {
        var pair = settled()
        pair.crossConnectIsUp = false
        pair.run(for: .seconds(1))
        pair.powerOff(0)
        let died = pair.now
        pair.run(for: .seconds(1))
        #expect(pair.roles == [nil, .active])
        #expect(pair.reports(1, .active)[0].at - died <= .nanoseconds(360_937_500))
    }

    @Test func `with everything cut both are Active, and the higher priority stays when they hear each other again`() {
        var pair = settled()
        pair.crossConnectIsUp = false
        pair.networkIsUp = [false, false]
        pair.run(for: .seconds(1))
        #expect(pair.roles == [.active, .active])
        pair.crossConnectIsUp = true
        pair.networkIsUp = [true, true]
        pair.run(for: .milliseconds(150))
        #expect(pair.roles == [.active, .backup])
        #expect(pair.reports(0, .dualActive).count == 1)
        #expect(pair.reports(0, .dualActiveOver).count == 1)
    }

    @Test func `a returning box of higher priority takes the role back once it knows the sessions`() {
        var pair = settled()
        pair.powerOff(0)
        pair.run(for: .seconds(1))
        pair.start(0)
        pair.run(for: .milliseconds(20))
        #expect(pair.roles == [.backup, .active])
        pair.run(for: .milliseconds(200))
        #expect(pair.roles == [.active, .backup])
        #expect(pair.reports(1, .dualActive).isEmpty)
    }

    @Test func `a returning box that does not preempt stays Backup`() {
        var pair = settled(preempts: [false, false])
        pair.powerOff(0)
        pair.run(for: .seconds(1))
        pair.start(0)
        pair.run(for: .seconds(10))
        #expect(pair.roles == [.backup, .active])
        #expect(pair.reports(0, .ready).count == 2)
    }

    @Test func `after a requested switchover the preempting box takes the role again only when its peer fails`() {
        var pair = settled()
        let answer8 = pair.switchOver(0)
        #expect(answer8 == nil)
        pair.run(for: .seconds(2))
        pair.powerOff(1)
        pair.run(for: .seconds(1))
        #expect(pair.roles == [.active, nil])
    }

    @Test func `an Active that restarts faster than anybody notices loses the role to the box that knows the sessions`()
    {
        var pair = settled(preempts: [false, false])
        pair.powerOff(0)
        pair.run(for: .milliseconds(5))
        pair.start(0)
        pair.run(for: .milliseconds(500))
        #expect(pair.roles == [.backup, .active])
    }

    @Test
    func `an Active that loses a tracked link hands over to its healthy peer, and gets the role back with the link`() {
        var pair = settled()
        pair.carrier(0, router: 1, isUp: false)
        pair.run(for: .milliseconds(1))
        #expect(pair.roles == [.backup, .active])
        pair.run(for: .seconds(1))
        #expect(pair.roles == [.backup, .active])
        pair.carrier(0, router: 1, isUp: true)
        pair.run(for: .seconds(1))
        #expect(pair.roles == [.active, .backup])
    }

    @Test func `an Active that loses a link stays until its peer has the sessions, and then leaves the role to it`() {
        for preempts in [true, false] {
            var pair = settled(preempts: [preempts, preempts])
            pair.powerOff(1)
            pair.run(for: .seconds(1))
            pair.start(1)
            pair.run(for: .milliseconds(5))
            #expect(pair.roles == [.active, .backup] && !pair.boxes[1].election.knowsSessions)
            pair.carrier(0, router: 1, isUp: false)
            pair.run(for: .milliseconds(10))
            #expect(pair.roles == [.active, .backup])
            pair.run(for: .milliseconds(100))
            #expect(pair.roles == [.backup, .active], "preempts: \(preempts)")
            #expect(pair.reports(1, .active).last?.details[.reason] == "the peer handed over")
        }
    }

    @Test func `an Active keeps the role where the peer lost the same link before`() {
        var pair = settled()
        pair.carrier(1, router: 1, isUp: false)
        pair.run(for: .milliseconds(100))
        pair.carrier(0, router: 1, isUp: false)
        pair.run(for: .seconds(1))
        #expect(pair.roles.filter { $0 == .active }.count == 1)
    }

    @Test func `for a role that nobody has, sessions count before the wish to stand back`() {
        // A box that just started, and hears the one that left it the role before: it was asked to stand back.
        for (flags, role) in [
            (PairStatement.Flags([.yields, .knowsSessions]), VirtualRouter.State.backup),
            ([.yields], .active), ([.knowsSessions], .backup),
        ] {
            var started = PairSimulation.election(0, [200, 100], [true, true])
            started.start(at: PairSimulation.epoch)
            started.receive(
                PairStatement(epoch: 1, sequence: 9, role: .backup, priority: 100, flags: flags),
                at: PairSimulation.epoch)
            #expect(started.role == role, "\(flags)")
        }
    }

    @Test func `of two that left the role to each other only the one with the better claim takes it back`() {
        for (box, role) in [(0, VirtualRouter.State.active), (1, .backup)] {
            var election = PairSimulation.election(box, [200, 100], [true, true])
            election.start(at: PairSimulation.epoch)
            func peer(_ sequence: UInt64, _ flags: PairStatement.Flags) -> PairStatement {
                PairStatement(
                    epoch: 1, sequence: sequence, role: .backup, priority: box == 0 ? 100 : 200, flags: flags)
            }
            election.receive(peer(1, .handsOver), at: PairSimulation.epoch)
            #expect(election.role == .active)
            election.receive(peer(2, .knowsSessions), at: PairSimulation.epoch)
            let refusal = election.switchOver(at: PairSimulation.epoch)
            #expect(refusal == nil)
            let bound = PairSimulation.heartbeat.bound
            let leaves: PairStatement.Flags = [.handsOver, .knowsSessions, .yields]
            election.receive(peer(3, leaves), at: PairSimulation.epoch + bound / 2)
            election.advance(to: PairSimulation.epoch + bound)
            #expect(election.role == role, "box \(box)")
            // The other one waits no longer than until it hears nobody.
            election.advance(to: PairSimulation.epoch + bound * 2)
            #expect(election.role == .active, "box \(box)")
        }
    }

    @Test func `a peer that starts anew in the moment of a handover does not get the role without the sessions`() {
        var pair = settled()
        let answer = pair.switchOver(0)
        #expect(answer == nil)
        pair.powerOff(1)
        pair.start(1)
        while pair.step(until: pair.now + .milliseconds(20)) {
            #expect(pair.boxes[1].election.role != .active || pair.boxes[1].election.knowsSessions)
            if pair.boxes[0].isForwarding { break }
        }
        pair.run(for: .milliseconds(20))
        #expect(pair.roles == [.active, .backup])
        #expect(pair.reports(1, .active).isEmpty)
    }

    @Test func `a heartbeat that a later one has overtaken changes nothing`() {
        var election = PairSimulation.election(1, [200, 100], [true, true])
        election.start(at: PairSimulation.epoch)
        let late = PairStatement(epoch: 7, sequence: 4, role: .active, priority: 200, flags: [])
        let latest = PairStatement(epoch: 7, sequence: 5, role: .backup, priority: 200, flags: [.handsOver])
        let answer9 = election.receive(latest, at: PairSimulation.epoch)
        #expect(answer9)
        #expect(election.role == .active)
        let answer10 = election.receive(late, at: PairSimulation.epoch)
        #expect(!answer10)
        let answer11 = election.receive(latest, at: PairSimulation.epoch)
        #expect(!answer11)
        let answer12 = election.receive(
            PairStatement(epoch: 6, sequence: 9, role: .active, priority: 200, flags: []), at: PairSimulation.epoch)
        #expect(!answer12)
        #expect(election.role == .active)
        #expect(election.dualActiveSince == nil)
    }

    @Test func `a late advertisement of the box that handed over takes the role from nobody`() {
        var pair = settled()
        pair.delay = 50...50
        _ = pair.switchOver(0)
        pair.run(for: .microseconds(60))
        pair.boxes[1].election.receive(
            Advertisement(priority: 200, interval: .milliseconds(100), source: IPv4Address(192, 0, 2, 2)), on: 0,
            at: pair.now)
        #expect(pair.roles == [.backup, .active])
    }

    @Test func `a box that was itself late does not take its lateness for the peer's death`() {
        var pair = settled()
        // The Backup sleeps; then its timers are looked at before its socket is read.
        let late = pair.now + .milliseconds(400)
        pair.boxes[1].election.advance(to: late)
        #expect(pair.boxes[1].election.role == .backup)
        // Nothing was waiting: now the silence counts.
        for step in 1...10 { pair.boxes[1].election.advance(to: late + .milliseconds(20) * step) }
        #expect(pair.boxes[1].election.role == .active)
    }

    @Test func `the Active stops forwarding before it says so, and the successor forwards before it announces`() throws
    {
        var election = PairSimulation.election(0, [200, 100], [true, true])
        election.start(at: PairSimulation.epoch)
        election.receive(
            PairStatement(epoch: 1, sequence: 1, role: .backup, priority: 100, flags: []), at: PairSimulation.epoch)
        let rise = election.takeActions()
        let starts = try #require(rise.firstIndex(of: .startForwarding))
        let announces = try #require(rise.firstIndex(of: .announceAddresses))
        let advertises = try #require(rise.firstIndex(of: .advertise(router: 0, priority: 200)))
        #expect(starts < advertises && advertises < announces)
        election.receive(
            PairStatement(epoch: 1, sequence: 2, role: .backup, priority: 100, flags: .knowsSessions),
            at: PairSimulation.epoch)
        _ = election.takeActions()
        let answer13 = election.switchOver(at: PairSimulation.epoch)
        #expect(answer13 == nil)
        let fall = election.takeActions()
        let stops = try #require(fall.firstIndex(of: .stopForwarding(handingOver: true)))
        let resigns = try #require(fall.firstIndex(of: .advertise(router: 1, priority: 0)))
        #expect(stops < resigns)
    }
}
