import Dataplane
import LabTime
import TestSupport
import Testing
import Wire

struct SessionFilterTests {
    static let start = Instant(nanoseconds: 1_000_000_000)
    static let client = IPv4Address(192, 0, 2, 10)
    static let server = IPv4Address(198, 51, 100, 20)

    static func flow(_ port: UInt16, _ proto: IPProtocol = .tcp) -> FiveTuple {
        FiveTuple(source: client, destination: server, sourcePort: port, destinationPort: 80, protocol: proto)
    }

    static func evaluate(
        _ filter: inout SessionFilter, _ flow: FiveTuple, _ flags: TCPFlags = [], at now: Instant = start
    ) -> FilterVerdict {
        let layout = FrameLayout(
            fiveTuple: flow, networkOffset: 14, transportOffset: 34, payloadOffset: 54, endOffset: 54, fragment: .whole,
            tcpFlags: flags, hasTransportHeader: true)
        let bytes = [UInt8](repeating: 0, count: 64)
        return bytes.withUnsafeBytes { filter.evaluate(layout, in: $0.baseAddress!, from: 0, at: now) }
    }

    /// Judges an ICMP message from `source` to `destination`.
    static func evaluateICMP(
        _ filter: inout SessionFilter, _ header: ICMPv4Header, from source: IPv4Address, to destination: IPv4Address,
        quoting quoted: FiveTuple? = nil
    ) -> FilterVerdict {
        var quote: [UInt8] = []
        if let quoted {
            quote = [UInt8](repeating: 0, count: 28)
            quote.withUnsafeMutableBytes { buffer in
                _ = IPv4Header(source: quoted.source, destination: quoted.destination, protocol: quoted.protocol).emit(
                    into: buffer, payloadLength: 8)
                buffer.baseAddress!.write(quoted.sourcePort, at: 20)
                buffer.baseAddress!.write(quoted.destinationPort, at: 22)
            }
        }
        var bytes = [UInt8](repeating: 0, count: 42 + quote.count)
        return bytes.withUnsafeMutableBytes { buffer in
            for (index, byte) in quote.enumerated() { buffer[42 + index] = byte }
            _ = EthernetHeader(destination: .zero, source: .zero, etherType: .ipv4).emit(into: buffer)
            _ = header.emit(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[34...]), payloadLength: quote.count)
            _ = IPv4Header(source: source, destination: destination, protocol: .icmp).emit(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[14...]), payloadLength: 8 + quote.count)
            guard case .layout(let layout) = FrameLayout.parse(UnsafeRawBufferPointer(buffer)) else {
                return .drop(.malformedIPv4)
            }
            return filter.evaluate(layout, in: UnsafeRawPointer(buffer.baseAddress!), from: 0, at: start)
        }
    }

    func passes(_ verdict: FilterVerdict) -> Bool {
        if case .pass = verdict { return true }
        return false
    }

    @Test func `a SYN opens a session that passes both ways`() {
        var filter = SessionFilter(capacity: 16)
        let syn = Self.evaluate(&filter, Self.flow(1), .syn)
        let answer = Self.evaluate(&filter, Self.flow(1).reversed, [.syn, .ack])
        #expect(passes(syn) && passes(answer))
        #expect(filter.count == 1)
    }

    @Test(arguments: [TCPFlags.ack, [.syn, .ack], .rst, [.fin, .ack], [.psh, .ack]])
    func `a TCP packet in mid-stream without a session is dropped and opens none`(flags: TCPFlags) {
        var filter = SessionFilter(capacity: 16)
        let verdict = Self.evaluate(&filter, Self.flow(1), flags)
        #expect(verdict == .drop(.noSession))
        #expect(filter.count == 0)
    }

    @Test(arguments: [TCPFlags([.syn, .fin]), [.syn, .rst], [], .fin, .psh])
    func `flags that no connection has are dropped even in a session`(flags: TCPFlags) {
        var filter = SessionFilter(capacity: 16)
        _ = Self.evaluate(&filter, Self.flow(1), .syn)
        let verdict = Self.evaluate(&filter, Self.flow(1), flags)
        #expect(verdict == .drop(.invalidTCPState))
    }

    @Test func `a SYN on the ports of a finished connection opens a new one`() {
        var filter = SessionFilter(capacity: 16)
        _ = Self.evaluate(&filter, Self.flow(1), .syn)
        _ = Self.evaluate(&filter, Self.flow(1).reversed, [.rst, .ack])
        // From the other side this time.
        let verdict = Self.evaluate(&filter, Self.flow(1).reversed, .syn)
        #expect(passes(verdict))
        #expect(filter.count == 1)
        #expect(filter.opened == 2)
    }

    @Test func `a session expires after the timer of its state, and each packet puts it off`() {
        var filter = SessionFilter(capacity: 16, timers: .nsxGateway)
        _ = Self.evaluate(&filter, Self.flow(1), .syn)
        filter.advance(to: Self.start + .seconds(119))
        #expect(filter.count == 1)
        _ = Self.evaluate(&filter, Self.flow(1).reversed, [.syn, .ack], at: Self.start + .seconds(119))
        filter.advance(to: Self.start + .seconds(148))
        #expect(filter.count == 1)
        filter.advance(to: Self.start + .seconds(150))
        #expect(filter.count == 0)
        #expect(filter.expired == 1)
    }

    @Test func `an echo reply passes only after its request`() {
        var filter = SessionFilter(capacity: 16)
        let early = Self.evaluateICMP(
            &filter, .echoReply(identifier: 7, sequence: 1), from: Self.server, to: Self.client)
        #expect(early == .drop(.noSession))
        let request = Self.evaluateICMP(
            &filter, .echoRequest(identifier: 7, sequence: 1), from: Self.client, to: Self.server)
        let reply = Self.evaluateICMP(
            &filter, .echoReply(identifier: 7, sequence: 1), from: Self.server, to: Self.client)
        let other = Self.evaluateICMP(
            &filter, .echoReply(identifier: 8, sequence: 1), from: Self.server, to: Self.client)
        #expect(passes(request) && passes(reply))
        #expect(other == .drop(.noSession))
    }

    @Test func `an ICMP error about a session passes to the one that sent the quoted packet, and to nobody else`() {
        var filter = SessionFilter(capacity: 16)
        _ = Self.evaluate(&filter, Self.flow(1), .syn)
        let router = IPv4Address(203, 0, 113, 1)
        let related = Self.evaluateICMP(
            &filter, .unreachable(code: 3), from: router, to: Self.client, quoting: Self.flow(1))
        #expect(passes(related))
        let unrelated = Self.evaluateICMP(
            &filter, .unreachable(code: 3), from: router, to: Self.client, quoting: Self.flow(2))
        #expect(unrelated == .drop(.noSession))
        let misdirected = Self.evaluateICMP(
            &filter, .unreachable(code: 3), from: router, to: IPv4Address(192, 0, 2, 99), quoting: Self.flow(1))
        #expect(misdirected == .drop(.noSession))
    }

    @Test func `the first rule that matches decides, and only about new sessions`() {
        let deny = FilterRule(name: "no web from outside", action: .deny, protocol: .tcp, destinationPorts: 80...80)
        var filter = SessionFilter(capacity: 16)
        _ = Self.evaluate(&filter, Self.flow(1), .syn)
        filter.install([deny], otherwise: .allow)
        let existing = Self.evaluate(&filter, Self.flow(1).reversed, [.syn, .ack])
        let new = Self.evaluate(&filter, Self.flow(2), .syn)
        #expect(passes(existing))
        #expect(new == .drop(.policy))
    }

    @Test func `a session ends with the rule that let it through, and with no other`() {
        let web = FilterRule(name: "web", action: .allow, protocol: .tcp, destinationPorts: 80...80)
        let late = FilterRule(name: "late", action: .deny, sources: [IPv4Network("192.0.2.0/24")!])
        var filter = SessionFilter(capacity: 16, rules: [web], otherwise: .deny)
        let opened = Self.evaluate(&filter, Self.flow(1), .syn)
        #expect(passes(opened))
        // A rule that comes later, even before the old one, is for sessions that come later.
        let kept = filter.install([late, web], otherwise: .deny)
        let existing = Self.evaluate(&filter, Self.flow(1).reversed, [.syn, .ack])
        let new = Self.evaluate(&filter, Self.flow(2), .syn)
        #expect(kept == 0 && passes(existing) && new == .drop(.policy))
        filter.beginRecording()
        while let next = filter.nextRecord(at: Self.start) { if next == .bulkEnds { break } }
        let ended = filter.install([late], otherwise: .deny)
        let orphan = Self.evaluate(&filter, Self.flow(1).reversed, .ack)
        #expect(ended == 1 && orphan == .drop(.noSession))
        guard case .record(let record)? = filter.nextRecord(at: Self.start) else {
            Issue.record("the peer is not told")
            return
        }
        #expect(record == .removal(Self.flow(1)))
    }

    @Test func `sessions that no rule let through end when the rest is denied`() {
        var filter = SessionFilter(capacity: 16)
        _ = Self.evaluate(&filter, Self.flow(1), .syn)
        let ended = filter.install([], otherwise: .deny)
        #expect(ended == 1)
    }

    @Test func `a rule's number comes from its name alone, and is never that of no rule`() {
        var random = SeededGenerator(seed: 20_261_121)
        for _ in 0..<10_000 {
            let name = String(
                (0..<Int(random.next() % 20)).map { _ in "abcdefgh-0123456789".randomElement(using: &random)! })
            #expect(RuleIdentity(naming: name) != .none)
            #expect(RuleIdentity(naming: name) == RuleIdentity(naming: name))
        }
        #expect(RuleIdentity(naming: "web") != RuleIdentity(naming: "wbe"))
    }

    @Test func `a full table refuses new sessions`() {
        var filter = SessionFilter(capacity: 2)
        for port in UInt16(1)...2 { _ = Self.evaluate(&filter, Self.flow(port), .syn) }
        let third = Self.evaluate(&filter, Self.flow(3), .syn)
        let first = Self.evaluate(&filter, Self.flow(1), .syn)
        #expect(third == .drop(.flowTableFull))
        #expect(passes(first))
    }

    // MARK: The peer

    /// Moves every record from one filter to another.
    static func synchronise(_ active: inout SessionFilter, _ standby: inout SessionFilter, at now: Instant = start)
        -> Int
    {
        var records = 0
        while let next = active.nextRecord(at: now) {
            switch next {
            case .record(let record):
                records += 1
                standby.apply(record, at: now)
            case .bulkBegins: standby.beginReceivingBulk()
            case .bulkEnds: standby.endReceivingBulk()
            }
        }
        return records
    }

    @Test func `a session that changed often is told once, in its latest state`() {
        var active = SessionFilter(capacity: 16)
        var standby = SessionFilter(capacity: 16)
        active.continueRecording()
        _ = Self.evaluate(&active, Self.flow(1), .syn)
        _ = Self.evaluate(&active, Self.flow(1).reversed, [.syn, .ack])
        _ = Self.evaluate(&active, Self.flow(1), .ack)
        let records = Self.synchronise(&active, &standby)
        #expect(records == 1)
        let passed = Self.evaluate(&standby, Self.flow(1).reversed, [.ack, .psh])
        #expect(passes(passed))
        let state = standby.table.find(Self.flow(1)).map { standby.table[$0.index].state }
        #expect(state == SessionState(original: .established, reply: .established))
    }

    @Test func `a session in use is refreshed before it expires at the peer`() {
        var active = SessionFilter(capacity: 16, timers: .nsxGateway)
        var standby = SessionFilter(capacity: 16, timers: .nsxGateway)
        active.continueRecording()
        _ = Self.evaluate(&active, Self.flow(1, .udp))
        _ = Self.evaluate(&active, Self.flow(1, .udp).reversed)
        var records = 0
        var now = Self.start
        for _ in 0..<600 {
            now += .seconds(1)
            _ = Self.evaluate(&active, Self.flow(1, .udp), at: now)
            records += Self.synchronise(&active, &standby, at: now)
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

    /// A rival that yields in the middle: what it heard of before is not taken for what the Active does not have.
    @Test(arguments: [0, 1, 20, 40])
    func `a box that was Active when a bulk transfer began ends nothing`(seenAsActive: Int) {
        var active = SessionFilter(capacity: 64)
        var rival = SessionFilter(capacity: 64)
        for port in UInt16(1)...40 {
            _ = Self.evaluate(&active, Self.flow(port), .syn)
            _ = Self.evaluate(&rival, Self.flow(port), .syn)
        }
        active.beginRecording()
        var records = 0
        while let next = active.nextRecord(at: Self.start) {
            switch next {
            case .record(let record):
                rival.apply(record, onlyNew: records < seenAsActive, at: Self.start)
                records += 1
            // Told before the rival yielded, so it is not acted upon.
            case .bulkBegins: break
            case .bulkEnds: rival.endReceivingBulk()
            }
        }
        #expect(records == 40 && rival.count == 40)
    }

    @Test func `a bulk transfer brings every session and ends those that the Active does not have`() {
        var active = SessionFilter(capacity: 64)
        var standby = SessionFilter(capacity: 64)
        for port in UInt16(1)...40 { _ = Self.evaluate(&active, Self.flow(port), .syn) }
        _ = Self.evaluate(&standby, Self.flow(99), .syn)
        active.beginRecording()
        let records = Self.synchronise(&active, &standby)
        #expect(records == 40)
        #expect(standby.count == 40)
        #expect(standby.table.find(Self.flow(99)) == nil)
    }

    @Test func `more changes than the queue holds lead to a bulk transfer, not to a loss`() {
        var active = SessionFilter(capacity: 100_000)
        var standby = SessionFilter(capacity: 100_000)
        active.continueRecording()
        for port in UInt16(0)...UInt16.max { _ = Self.evaluate(&active, Self.flow(port), .syn) }
        var second = Self.flow(1)
        second.destinationPort = 81
        _ = Self.evaluate(&active, second, .syn)
        _ = Self.synchronise(&active, &standby)
        #expect(standby.count == 65_537)
    }

    @Test func `an ended session ends at the peer, and one opened again on its ports stays`() {
        var active = SessionFilter(capacity: 16)
        var standby = SessionFilter(capacity: 16)
        active.continueRecording()
        _ = Self.evaluate(&active, Self.flow(1), .syn)
        _ = Self.evaluate(&active, Self.flow(2), .syn)
        _ = Self.synchronise(&active, &standby)
        active.advance(to: Self.start + .seconds(121))
        _ = Self.evaluate(&active, Self.flow(2), .syn, at: Self.start + .seconds(121))
        _ = Self.synchronise(&active, &standby, at: Self.start + .seconds(121))
        #expect(standby.table.find(Self.flow(1)) == nil)
        #expect(standby.table.find(Self.flow(2)) != nil)
    }

    @Test func `a late record of the predecessor adds a session to an Active but changes none`() {
        var active = SessionFilter(capacity: 16)
        _ = Self.evaluate(&active, Self.flow(1), .syn)
        _ = Self.evaluate(&active, Self.flow(1).reversed, [.syn, .ack])
        let late = SessionRecord(
            flow: Self.flow(1), originatorState: 1, responderState: 0, remainingMilliseconds: 1000)
        active.apply(.session(late), onlyNew: true, at: Self.start)
        let state = active.table.find(Self.flow(1)).map { active.table[$0.index].state }
        #expect(state == SessionState(original: .established, reply: .synSent))
        var new = late
        new.flow = Self.flow(2)
        active.apply(.session(new), onlyNew: true, at: Self.start)
        #expect(active.count == 2)
        active.apply(.removal(Self.flow(2)), onlyNew: true, at: Self.start)
        #expect(active.count == 2)
    }

    // MARK: What the first payload tells

    static func evaluate(_ filter: inout SessionFilter, _ flow: FiveTuple, payload: [UInt8]) -> FilterVerdict {
        let layout = FrameLayout(
            fiveTuple: flow, networkOffset: 14, transportOffset: 34, payloadOffset: 54, endOffset: 54 + payload.count,
            fragment: .whole, tcpFlags: .ack, hasTransportHeader: true)
        let bytes = [UInt8](repeating: 0, count: 54) + payload
        return bytes.withUnsafeBytes { filter.evaluate(layout, in: $0.baseAddress!, from: 0, at: start) }
    }

    @Test func `what the first payload tells follows as a record of its own, and later payloads tell nothing`() {
        var active = SessionFilter(capacity: 16)
        var standby = SessionFilter(capacity: 16)
        let categories = [(name: "news", domains: ["example.com"])]
        active.categories = CategoryTable(categories)
        active.continueRecording()
        _ = Self.evaluate(&active, Self.flow(1), .syn)
        _ = Self.evaluate(&active, Self.flow(1).reversed, [.syn, .ack])
        _ = Self.evaluate(&active, Self.flow(1), .ack)
        #expect(Self.synchronise(&active, &standby) == 1)
        _ = Self.evaluate(&active, Self.flow(1), payload: Array("GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n".utf8))
        guard case .record(.metadata(let record)) = active.nextRecord(at: Self.start) else {
            Issue.record("no metadata")
            return
        }
        #expect(record == MetadataRecord(flow: Self.flow(1), application: 2, category: 1, rule: 0))
        standby.apply(.metadata(record), at: Self.start)
        let session = standby.table.find(Self.flow(1)).map { standby.table[$0.index] }
        #expect(session?.application == .http && session?.category == 1)
        _ = Self.evaluate(&active, Self.flow(1), payload: Array("SSH-2.0-x\r\n".utf8))
        #expect(active.table.find(Self.flow(1)).map { active.table[$0.index].application } == .http)
        #expect(Self.synchronise(&active, &standby) == 0)
    }

    @Test func `a bulk transfer brings what is known of each session in its own record`() {
        var active = SessionFilter(capacity: 64)
        var standby = SessionFilter(capacity: 64)
        for port in UInt16(1)...20 {
            _ = Self.evaluate(&active, Self.flow(port), .syn)
            if port % 2 == 0 { _ = Self.evaluate(&active, Self.flow(port), payload: Array("SSH-2.0-x\r\n".utf8)) }
        }
        active.beginRecording()
        #expect(Self.synchronise(&active, &standby) == 20)
        for port in UInt16(1)...20 {
            let application = standby.table.find(Self.flow(port)).map { standby.table[$0.index].application }
            #expect(application == (port % 2 == 0 ? .ssh : .unseen))
        }
    }

    @Test func `metadata of a session that ended meanwhile change nothing`() {
        var standby = SessionFilter(capacity: 16)
        standby.apply(
            .metadata(MetadataRecord(flow: Self.flow(1), application: 2, category: 1, rule: 1)), at: Self.start)
        #expect(standby.count == 0)
    }

    // MARK: Rules that cross

    @Test func `the rule that let a session through crosses with it, whatever order the peer has its rules in`() {
        let web = FilterRule(name: "web", action: .allow, protocol: .tcp, destinationPorts: 80...80)
        let mail = FilterRule(name: "mail", action: .allow, protocol: .tcp, destinationPorts: 25...25)
        var active = SessionFilter(capacity: 16, rules: [mail, web], otherwise: .deny)
        var standby = SessionFilter(capacity: 16, rules: [web, mail], otherwise: .deny)
        active.continueRecording()
        _ = Self.evaluate(&active, Self.flow(1), .syn)
        _ = Self.synchronise(&active, &standby)
        #expect(standby.table.find(Self.flow(1)).map { standby.table[$0.index].rule } == RuleIdentity(naming: "web"))
        #expect(standby.unknownRules == 0)
    }

    @Test
    func `a session of a rule that the peer does not have is no session there, until the rule is and it is told again`()
    {
        let web = FilterRule(name: "web", action: .allow, protocol: .tcp, destinationPorts: 80...80)
        var active = SessionFilter(capacity: 16, rules: [web], otherwise: .deny)
        var standby = SessionFilter(capacity: 16, rules: [], otherwise: .deny)
        active.continueRecording()
        _ = Self.evaluate(&active, Self.flow(1), .syn)
        _ = Self.synchronise(&active, &standby)
        #expect(standby.count == 0 && standby.unknownRules == 1)
        standby.install([web], otherwise: .deny)
        _ = Self.evaluate(&active, Self.flow(1).reversed, [.syn, .ack])
        _ = Self.synchronise(&active, &standby)
        #expect(standby.count == 1 && standby.unknownRules == 1)
    }
}
