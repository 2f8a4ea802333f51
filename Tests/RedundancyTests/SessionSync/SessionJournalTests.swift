import Dataplane
import LabTime
import Redundancy
import Testing
import Wire

struct SessionJournalTests {
    private typealias Box = ReplicatedSessions
    private static let start = Box.start

    @Test func `a session that changed often is sent once, in its latest state`() {
        var active = Box(capacity: 16)
        var standby = Box(capacity: 16)
        active.journal.continueRecording()
        _ = active.evaluate(Box.flow(1), .syn)
        _ = active.evaluate(Box.flow(1).reversed, [.syn, .ack])
        _ = active.evaluate(Box.flow(1), .ack)
        let records = active.send(to: &standby)
        #expect(records.count == 1)
        let passed = standby.evaluate(Box.flow(1).reversed, [.ack, .psh])
        #expect(passed == .pass(FlowIndex(rawValue: 0)))
        let state = standby.session(Box.flow(1))?.state
        #expect(state == SessionState(original: .established, reply: .established))
    }

    @Test func `a session in use is refreshed before it expires at the peer`() {
        var active = Box(capacity: 16, timers: .nsxGateway)
        var standby = Box(capacity: 16, timers: .nsxGateway)
        active.journal.continueRecording()
        _ = active.evaluate(Box.flow(1, .udp))
        _ = active.evaluate(Box.flow(1, .udp).reversed)
        var records = 0
        var now = Self.start
        for _ in 0..<600 {
            now += .seconds(1)
            _ = active.evaluate(Box.flow(1, .udp), at: now)
            records += active.send(to: &standby, at: now).count
            standby.advance(to: now)
            #expect(standby.count == 1)
        }
        // Every quarter of 60 s, not with each packet.
        #expect(records < 50)
        for _ in 0..<61 {
            now += .seconds(1)
            active.advance(to: now)
            standby.advance(to: now)
        }
        #expect(active.count == 0 && standby.count == 0)
    }

    @Test func `an ended session ends at the peer, and one opened again on its ports stays`() {
        var active = Box(capacity: 16)
        var standby = Box(capacity: 16)
        active.journal.continueRecording()
        _ = active.evaluate(Box.flow(1), .syn)
        _ = active.evaluate(Box.flow(2), .syn)
        _ = active.send(to: &standby)
        active.advance(to: Self.start + .seconds(121))
        _ = active.evaluate(Box.flow(2), .syn, at: Self.start + .seconds(121))
        _ = active.send(to: &standby, at: Self.start + .seconds(121))
        #expect(standby.session(Box.flow(1)) == nil)
        #expect(standby.session(Box.flow(2)) != nil)
    }

    @Test func `a session that a policy ends is removed from the peer`() {
        let web = FilterRule(name: "web", action: .allow, protocol: .tcp, destinationPorts: 80...80)
        var active = Box(capacity: 16, rules: [web], otherwise: .deny)
        _ = active.evaluate(Box.flow(1), .syn)
        active.journal.continueRecording()
        active.engine.install([], otherwise: .deny, reporting: &active.journal)
        let next = active.nextRecord()
        #expect(next == .record(.removal(Box.flow(1))))
    }

    @Test func `nothing is recorded before recording begins, and what was recorded stays when it ends`() {
        var active = Box(capacity: 16)
        _ = active.evaluate(Box.flow(1), .syn)
        #expect(active.journal.pendingCount == 0)
        active.journal.continueRecording()
        _ = active.evaluate(Box.flow(2), .syn)
        active.journal.endRecording()
        _ = active.evaluate(Box.flow(3), .syn)
        #expect(active.journal.pendingCount == 1)
        guard case .record(.session(let record))? = active.nextRecord() else {
            Issue.record("no record")
            return
        }
        #expect(record.flow == Box.flow(2) && active.journal.pendingCount == 0)
    }

    @Test func `a place that is taken again begins without a mark of the session before`() {
        var active = Box(capacity: 1)
        active.journal.continueRecording()
        _ = active.evaluate(Box.flow(1), .syn)
        active.advance(to: Self.start + .seconds(121))
        active.journal.endRecording()
        _ = active.evaluate(Box.flow(2), .syn, at: Self.start + .seconds(121))
        #expect(active.session(Box.flow(2)) != nil)
        let first = active.nextRecord(at: Self.start + .seconds(121))
        let second = active.nextRecord(at: Self.start + .seconds(121))
        #expect(first == .record(.removal(Box.flow(1))) && second == nil)
    }

    // MARK: Full resyncs

    /// A rival that yields in the middle: what it received before is not taken for what the Active does not have.
    @Test(arguments: [0, 1, 20, 40])
    func `a box that was Active when a bulk transfer began ends nothing`(seenAsActive: Int) {
        var active = Box(capacity: 64)
        var rival = Box(capacity: 64)
        for port in UInt16(1)...40 {
            _ = active.evaluate(Box.flow(port), .syn)
            _ = rival.evaluate(Box.flow(port), .syn)
        }
        active.journal.beginRecording()
        var records = 0
        while let next = active.nextRecord() {
            switch next {
            case .record(let record):
                rival.apply(record, onlyNew: records < seenAsActive)
                records += 1
            // Received before the rival yielded, so it is not acted upon.
            case .bulkBegins: break
            case .bulkEnds: rival.journal.endReceivingBulk(&rival.engine)
            }
        }
        #expect(records == 40 && rival.count == 40)
    }

    @Test func `a bulk transfer brings every session and ends those that the Active does not have`() {
        var active = Box(capacity: 64)
        var standby = Box(capacity: 64)
        for port in UInt16(1)...40 { _ = active.evaluate(Box.flow(port), .syn) }
        _ = standby.evaluate(Box.flow(99), .syn)
        active.journal.beginRecording()
        let records = active.send(to: &standby)
        #expect(records.count == 40)
        #expect(standby.count == 40)
        #expect(standby.session(Box.flow(99)) == nil)
    }

    /// As seen by the box that receives: what of its own, which the transfer does not mention, is left.
    @Test(arguments: [
        ("nothing", 0), ("a term begins", 1), ("an own resync begins", 1), ("an own resync ended before", 0),
    ])
    func `a transfer ends sessions only of a box whose own ones the peer has`(step: String, left: Int) {
        var active = Box(capacity: 16)
        var former = Box(capacity: 16)
        _ = former.evaluate(Box.flow(9), .syn)
        active.journal.beginRecording()
        if step == "an own resync begins" || step == "an own resync ended before" { former.journal.beginOwnResync() }
        if step == "an own resync ended before" { former.journal.endOwnResync() }
        former.journal.beginReceivingBulk()
        if step == "a term begins" { former.journal.beginTerm() }
        let removed = former.journal.endReceivingBulk(&former.engine)
        #expect(removed == 1 - left && former.count == left)
    }

    @Test func `more changes than the queue holds lead to a bulk transfer, not to a loss`() {
        var active = Box(capacity: 100_000)
        var standby = Box(capacity: 100_000)
        active.journal.continueRecording()
        for port in UInt16(0)...UInt16.max { _ = active.evaluate(Box.flow(port), .syn) }
        _ = active.evaluate(Box.flow(1, to: 81), .syn)
        _ = active.send(to: &standby)
        #expect(standby.count == 65_537)
    }

    @Test func `a late record of the predecessor adds a session to an Active but changes none`() {
        var active = Box(capacity: 16)
        _ = active.evaluate(Box.flow(1), .syn)
        _ = active.evaluate(Box.flow(1).reversed, [.syn, .ack])
        let late = SessionRecord(flow: Box.flow(1), originatorState: 1, responderState: 0, remainingMilliseconds: 1000)
        active.apply(.session(late), onlyNew: true)
        #expect(active.session(Box.flow(1))?.state == SessionState(original: .established, reply: .synSent))
        var new = late
        new.flow = Box.flow(2)
        active.apply(.session(new), onlyNew: true)
        #expect(active.count == 2)
        active.apply(.removal(Box.flow(2)), onlyNew: true)
        #expect(active.count == 2)
    }

    // MARK: Metadata

    private static let request = "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"

    @Test func `what the first payload was follows as a record of its own, and later payloads change nothing`() {
        var active = Box(capacity: 16)
        var standby = Box(capacity: 16)
        active.engine.inspector.categories = CategoryTable([(name: "news", domains: ["example.com"])])
        active.journal.continueRecording()
        _ = active.evaluate(Box.flow(1), .syn)
        _ = active.evaluate(Box.flow(1).reversed, [.syn, .ack])
        _ = active.evaluate(Box.flow(1), .ack)
        let handshake = active.send(to: &standby)
        #expect(handshake.count == 1)
        _ = active.evaluate(Box.flow(1), payload: Self.request)
        guard case .record(.metadata(let record)) = active.nextRecord() else {
            Issue.record("no metadata")
            return
        }
        #expect(record == MetadataRecord(flow: Box.flow(1), application: 2, category: 1, rule: 0))
        standby.apply(.metadata(record))
        let session = standby.session(Box.flow(1))
        #expect(session?.application == .http && session?.category == 1)
        _ = active.evaluate(Box.flow(1), payload: "SSH-2.0-x\r\n")
        #expect(active.session(Box.flow(1))?.application == .http)
        let rest = active.send(to: &standby)
        #expect(rest.isEmpty)
    }

    @Test func `a bulk transfer brings what is known of each session in its own record`() {
        var active = Box(capacity: 64)
        var standby = Box(capacity: 64)
        for port in UInt16(1)...20 {
            _ = active.evaluate(Box.flow(port), .syn)
            if port % 2 == 0 { _ = active.evaluate(Box.flow(port), payload: "SSH-2.0-x\r\n") }
        }
        active.journal.beginRecording()
        let records = active.send(to: &standby)
        #expect(records.count == 20)
        for port in UInt16(1)...20 {
            #expect(standby.session(Box.flow(port))?.application == (port % 2 == 0 ? .ssh : .unseen))
        }
    }

    @Test func `metadata of a session that ended meanwhile change nothing`() {
        var standby = Box(capacity: 16)
        standby.apply(.metadata(MetadataRecord(flow: Box.flow(1), application: 2, category: 1, rule: 1)))
        #expect(standby.count == 0)
    }

    // MARK: Rules that cross

    @Test func `the rule that let a session through crosses with it, whatever order the peer has its rules in`() {
        let web = FilterRule(name: "web", action: .allow, protocol: .tcp, destinationPorts: 80...80)
        let mail = FilterRule(name: "mail", action: .allow, protocol: .tcp, destinationPorts: 25...25)
        var active = Box(capacity: 16, rules: [mail, web], otherwise: .deny)
        var standby = Box(capacity: 16, rules: [web, mail], otherwise: .deny)
        active.journal.continueRecording()
        _ = active.evaluate(Box.flow(1), .syn)
        _ = active.send(to: &standby)
        #expect(standby.session(Box.flow(1))?.rule == RuleIdentity(naming: "web"))
        #expect(standby.journal.unknownRules == 0)
    }

    @Test
    func `a session of a rule that the peer does not have is no session there, until the rule is and it is sent again`()
    {
        let web = FilterRule(name: "web", action: .allow, protocol: .tcp, destinationPorts: 80...80)
        var active = Box(capacity: 16, rules: [web], otherwise: .deny)
        var standby = Box(capacity: 16, rules: [], otherwise: .deny)
        active.journal.continueRecording()
        _ = active.evaluate(Box.flow(1), .syn)
        _ = active.send(to: &standby)
        #expect(standby.count == 0 && standby.journal.unknownRules == 1)
        standby.engine.install([web], otherwise: .deny, reporting: &standby.journal)
        _ = active.evaluate(Box.flow(1).reversed, [.syn, .ack])
        _ = active.send(to: &standby)
        #expect(standby.count == 1 && standby.journal.unknownRules == 1)
    }

    // MARK: Deferral

    @Test func `a session opened while the pair defers waits until it is confirmed, and any until all are`() throws {
        var active = Box(capacity: 16)
        active.journal.continueRecording()
        _ = active.evaluate(Box.flow(1), .syn)
        active.journal.isDeferring = true
        _ = active.evaluate(Box.flow(2), .syn)
        _ = active.evaluate(Box.flow(3), .syn)
        let places = (1...3).map { active.engine.table.find(Box.flow($0))!.index }
        func awaited() -> [Bool] { places.map { active.journal.isAwaited($0) } }
        #expect(awaited() == [false, true, true] && active.journal.message(with: places[1]) == nil)
        _ = active.nextRecord(for: 5)
        _ = active.nextRecord(for: 1 << 32 | 6)
        #expect(active.journal.message(with: places[0]) == 5 && active.journal.message(with: places[1]) == 6)
        active.journal.confirm(places[1])
        #expect(awaited() == [false, false, true])
        active.journal.confirmAll()
        #expect(awaited() == [false, false, false])
    }
}
