import Dataplane
import LabTime
import TestSupport
import Testing
import Wire

struct SessionEngineTests {
    static let start = Instant(nanoseconds: 1_000_000_000)
    static let client = IPv4Address(192, 0, 2, 10)
    static let server = IPv4Address(198, 51, 100, 20)

    static func flow(_ port: UInt16, _ proto: IPProtocol = .tcp) -> FiveTuple {
        FiveTuple(source: client, destination: server, sourcePort: port, destinationPort: 80, protocol: proto)
    }

    static func evaluate(
        _ filter: inout SessionEngine<IPv4>, _ flow: FiveTuple, _ flags: TCPFlags = [], at now: Instant = start
    ) -> FilterVerdict {
        let layout = FrameLayout(
            fiveTuple: flow, networkOffset: 14, transportOffset: 34, payloadOffset: 54, endOffset: 54, fragment: .whole,
            tcpFlags: flags, hasTransportHeader: true)
        let bytes = [UInt8](repeating: 0, count: 64)
        return bytes.withUnsafeBytes { filter.evaluate(layout, in: $0.baseAddress!, from: 0, at: now) }
    }

    /// Evaluates an ICMP message from `source` to `destination`.
    static func evaluateICMP(
        _ filter: inout SessionEngine<IPv4>, _ header: ICMPv4Header, from source: IPv4Address,
        to destination: IPv4Address,
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
        var filter = SessionEngine<IPv4>(capacity: 16)
        let syn = Self.evaluate(&filter, Self.flow(1), .syn)
        let answer = Self.evaluate(&filter, Self.flow(1).reversed, [.syn, .ack])
        #expect(passes(syn) && passes(answer))
        #expect(filter.count == 1)
    }

    @Test(arguments: [TCPFlags.ack, [.syn, .ack], .rst, [.fin, .ack], [.psh, .ack]])
    func `a TCP packet in mid-stream without a session is dropped and opens none`(flags: TCPFlags) {
        var filter = SessionEngine<IPv4>(capacity: 16)
        let verdict = Self.evaluate(&filter, Self.flow(1), flags)
        #expect(verdict == .drop(.noSession))
        #expect(filter.count == 0)
    }

    @Test(arguments: [TCPFlags([.syn, .fin]), [.syn, .rst], [], .fin, .psh])
    func `flags that no connection has are dropped even in a session`(flags: TCPFlags) {
        var filter = SessionEngine<IPv4>(capacity: 16)
        _ = Self.evaluate(&filter, Self.flow(1), .syn)
        let verdict = Self.evaluate(&filter, Self.flow(1), flags)
        #expect(verdict == .drop(.invalidTCPState))
    }

    @Test func `a SYN on the ports of a finished connection opens a new one`() {
        var filter = SessionEngine<IPv4>(capacity: 16)
        _ = Self.evaluate(&filter, Self.flow(1), .syn)
        _ = Self.evaluate(&filter, Self.flow(1).reversed, [.rst, .ack])
        // From the other side this time.
        let verdict = Self.evaluate(&filter, Self.flow(1).reversed, .syn)
        #expect(passes(verdict))
        #expect(filter.count == 1)
        #expect(filter.table.opened == 2)
    }

    @Test func `a session expires after the timer of its state, and each packet puts it off`() {
        var filter = SessionEngine<IPv4>(capacity: 16, timers: .nsxGateway)
        _ = Self.evaluate(&filter, Self.flow(1), .syn)
        filter.advance(to: Self.start + .seconds(119))
        #expect(filter.count == 1)
        _ = Self.evaluate(&filter, Self.flow(1).reversed, [.syn, .ack], at: Self.start + .seconds(119))
        filter.advance(to: Self.start + .seconds(148))
        #expect(filter.count == 1)
        filter.advance(to: Self.start + .seconds(150))
        #expect(filter.count == 0)
        #expect(filter.table.expired == 1)
    }

    @Test func `an echo reply passes only after its request`() {
        var filter = SessionEngine<IPv4>(capacity: 16)
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
        var filter = SessionEngine<IPv4>(capacity: 16)
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
        var filter = SessionEngine<IPv4>(capacity: 16)
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
        var filter = SessionEngine<IPv4>(capacity: 16, rules: [web], otherwise: .deny)
        let opened = Self.evaluate(&filter, Self.flow(1), .syn)
        #expect(passes(opened))
        // A rule that comes later, even before the old one, is for sessions that come later.
        let kept = filter.install([late, web], otherwise: .deny)
        let existing = Self.evaluate(&filter, Self.flow(1).reversed, [.syn, .ack])
        let new = Self.evaluate(&filter, Self.flow(2), .syn)
        #expect(kept == 0 && passes(existing) && new == .drop(.policy))
        var reports = SessionReports<IPv4>()
        let ended = filter.install([late], otherwise: .deny, reporting: &reports)
        let orphan = Self.evaluate(&filter, Self.flow(1).reversed, .ack)
        #expect(ended == 1 && orphan == .drop(.noSession))
        #expect(reports.all == [.ended(Self.flow(1))])
    }

    @Test func `sessions that no rule let through end when the rest is denied`() {
        var filter = SessionEngine<IPv4>(capacity: 16)
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
        var filter = SessionEngine<IPv4>(capacity: 2)
        for port in UInt16(1)...2 { _ = Self.evaluate(&filter, Self.flow(port), .syn) }
        let third = Self.evaluate(&filter, Self.flow(3), .syn)
        let first = Self.evaluate(&filter, Self.flow(1), .syn)
        #expect(third == .drop(.flowTableFull))
        #expect(passes(first))
    }

    // MARK: The first payload

    static func evaluate(
        _ filter: inout SessionEngine<IPv4>, _ flow: FiveTuple, payload: String,
        reporting reports: inout SessionReports<IPv4>
    ) -> FilterVerdict {
        let layout = FrameLayout(
            fiveTuple: flow, networkOffset: 14, transportOffset: 34, payloadOffset: 54,
            endOffset: 54 + payload.utf8.count, fragment: .whole, tcpFlags: .ack, hasTransportHeader: true)
        let bytes = [UInt8](repeating: 0, count: 54) + Array(payload.utf8)
        return bytes.withUnsafeBytes {
            filter.evaluate(layout, in: $0.baseAddress!, from: 0, at: start, reporting: &reports)
        }
    }

    @Test func `the first payload decides what a session is used for, and later ones change nothing`() throws {
        var filter = SessionEngine<IPv4>(capacity: 16)
        filter.inspector.categories = CategoryTable([(name: "news", domains: ["example.com"])])
        _ = Self.evaluate(&filter, Self.flow(1), .syn)
        var reports = SessionReports<IPv4>()
        for payload in ["GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n", "SSH-2.0-x\r\n"] {
            _ = Self.evaluate(&filter, Self.flow(1), payload: payload, reporting: &reports)
        }
        let match = filter.table.find(Self.flow(1))
        let index = try #require(match).index
        #expect(filter.table[index].application == .http && filter.table[index].category == 1)
        let ofApplication = reports.all.filter { $0 == .changed(index, .application) }
        #expect(ofApplication.count == 1 && reports.all.first == ofApplication.first)
    }

    // MARK: Reports

    @Test func `each packet reports what it did to its session, and nothing else does`() throws {
        var filter = SessionEngine<IPv4>(capacity: 16, timers: .nsxGateway)
        var reports = SessionReports<IPv4>()
        func evaluate(_ flow: FiveTuple, _ flags: TCPFlags = []) {
            let layout = FrameLayout(
                fiveTuple: flow, networkOffset: 14, transportOffset: 34, payloadOffset: 54, endOffset: 54,
                fragment: .whole, tcpFlags: flags, hasTransportHeader: true)
            let bytes = [UInt8](repeating: 0, count: 64)
            _ = bytes.withUnsafeBytes {
                filter.evaluate(layout, in: $0.baseAddress!, from: 0, at: Self.start, reporting: &reports)
            }
        }
        evaluate(Self.flow(1), .ack)
        #expect(reports.take() == [])
        evaluate(Self.flow(1), .syn)
        let index = FlowIndex(rawValue: 0)
        #expect(reports.take() == [.opened(index, isBlocked: false)])
        evaluate(Self.flow(1).reversed, [.syn, .ack])
        evaluate(Self.flow(1), .ack)
        #expect(reports.take() == [.changed(index, .state), .changed(index, .state)])
        evaluate(Self.flow(1), .ack)
        #expect(reports.take() == [.changed(index, .refreshed(.seconds(7200)))])
        evaluate(Self.flow(1), .rst)
        evaluate(Self.flow(1).reversed, .syn)
        #expect(
            reports.take() == [.changed(index, .state), .ended(Self.flow(1)), .opened(index, isBlocked: false)])
        filter.advance(to: Self.start + .seconds(1000), reporting: &reports)
        #expect(reports.take() == [.ended(Self.flow(1).reversed)])
    }

    // MARK: Records of a peer

    @Test func `a record brings its session, then its state, and nothing to one that has moved on here`() {
        var filter = SessionEngine<IPv4>(capacity: 1)
        var record = SessionRecord(
            flow: Self.flow(1), originatorState: 1, responderState: 0, remainingMilliseconds: 20_000)
        let index = FlowIndex(rawValue: 0)
        #expect(filter.adopt(record, onlyNew: false, at: Self.start) == .inserted(index))
        record.responderState = 2
        #expect(filter.adopt(record, onlyNew: true, at: Self.start) == .ignored)
        #expect(filter.table[index].state.reply == .closed)
        #expect(filter.adopt(record, onlyNew: false, at: Self.start) == .updated(index))
        #expect(
            filter.table[index].state.reply == .established
                && filter.record(of: index, at: Self.start)
                    == {
                        var sent = record
                        sent.flags.insert(.answered)
                        return sent
                    }()
        )
        record.flow = Self.flow(2)
        #expect(filter.adopt(record, onlyNew: false, at: Self.start) == .full)
        record.flow = Self.flow(1)
        record.rule = 7
        #expect(filter.adopt(record, onlyNew: false, at: Self.start) == .refusedByPolicy && filter.count == 0)
        // What was opened here reports nothing of the peer's.
        #expect(filter.table.opened == 0)
    }
}
