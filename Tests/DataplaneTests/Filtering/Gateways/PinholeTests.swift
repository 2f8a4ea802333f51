import LabTime
import Testing
import Wire

@testable import Dataplane

/// What announcements of control connections open, for whom, and for how long.
struct PinholeTests {
    private func connected(_ bench: consuming ControlBench = ControlBench()) -> ControlBench {
        var bench = bench
        bench.connect()
        return bench
    }

    private func opens(_ bench: inout ControlBench, _ flow: FiveTuple) -> Bool { bench.opens(flow) }

    @Test func `the connection that a reply to PASV announces passes once, under the control connection's rule`() throws
    {
        var bench = connected()
        let early = opens(&bench, bench.data(to: 3000))
        #expect(!early)
        bench.agree(on: 3000)
        #expect(bench.filter.gateways.pinholeCount == 1)
        let others = [
            opens(&bench, bench.data(to: 3001)),
            opens(
                &bench,
                FiveTuple(
                    source: IPv4Address(192, 0, 2, 11), destination: ControlBench.server, sourcePort: 5000,
                    destinationPort: 3000, protocol: .tcp)),
        ]
        #expect(others == [false, false])
        let first = opens(&bench, bench.data(to: 3000))
        let second = opens(&bench, bench.data(to: 3000, from: 5001))
        #expect(first && !second)
        let match = bench.filter.table.find(bench.data(to: 3000))
        let index = try #require(match).index
        #expect(bench.filter.table[index].rule == ControlBench.rule.identity && bench.filter.table[index].isExpected)
        #expect(bench.filter.gateways.tally.opened == 1 && bench.filter.gateways.tally.used == 1)
        // Its packets are a session's like any other's.
        let answer = bench.evaluate(bench.data(to: 3000).reversed, [.syn, .ack])
        let again = bench.evaluate(bench.data(to: 3000), .syn)
        #expect(ControlBench.passes(answer) && ControlBench.passes(again))
        #expect(
            bench.filter.gateways.takeEvents() == [
                .opened(bench.data(to: 3000, from: 0), control: bench.flow),
                .used(bench.data(to: 3000), control: bench.flow),
            ])
    }

    @Test func `without the gateway nothing is read and nothing opens`() {
        var bench = connected(ControlBench(gateways: []))
        bench.agree(on: 3000)
        let opened = opens(&bench, bench.data(to: 3000))
        #expect(!opened && bench.filter.gateways.pinholeCount == 0)
    }

    @Test func `EPSV names a port of the server, PORT and EPRT one of the client`() {
        var bench = connected()
        _ = bench.say("EPSV")
        _ = bench.reply("229 Entering Extended Passive Mode (|||3000|)")
        let extended = opens(&bench, bench.data(to: 3000))
        #expect(extended)
        for (line, port) in [("PORT 192,0,2,10,15,160", UInt16(4000)), ("EPRT |1|192.0.2.10|4001|", 4001)] {
            let said = bench.say(line)
            #expect(ControlBench.passes(said))
            let flow = FiveTuple(
                source: ControlBench.server, destination: ControlBench.client, sourcePort: 20, destinationPort: port,
                protocol: .tcp)
            let opened = opens(&bench, flow)
            #expect(opened, "\(line)")
        }
    }

    @Test(arguments: ["PORT 192,0,2,99,15,160", "PORT 198,51,100,20,15,160", "EPRT |1|192.0.2.99|4001|"])
    func `an announcement of somebody else's address is dropped, each time it comes`(line: String) {
        var bench = connected()
        let verdict = bench.say(line)
        #expect(verdict == .drop(.announcement))
        // The segment is repeated, because nobody acknowledges it.
        bench.clientSequence &-= UInt32(line.utf8.count + 2)
        let again = bench.say(line)
        #expect(again == .drop(.announcement))
        #expect(bench.filter.gateways.tally.bounces == 2 && bench.filter.gateways.pinholeCount == 0)
        #expect(
            bench.filter.gateways.takeEvents() == [
                .refused(.bounce, control: bench.flow), .refused(.bounce, control: bench.flow),
            ])
    }

    @Test func `a server that names another host, or a port of a service, is refused too`() {
        var bench = connected()
        _ = bench.say("PASV")
        let bounce = bench.reply("227 Entering Passive Mode (198,51,100,99,15,160)")
        #expect(bounce == .drop(.announcement) && bench.filter.gateways.tally.bounces == 1)
        var second = connected()
        _ = second.say("EPSV")
        let privileged = second.reply("229 ok (|||22|)")
        #expect(privileged == .drop(.announcement) && second.filter.gateways.tally.privilegedPorts == 1)
        #expect(bench.filter.gateways.pinholeCount == 0 && second.filter.gateways.pinholeCount == 0)
    }

    @Test func `a reply that nobody asked for opens nothing`() {
        var bench = connected()
        let verdict = bench.reply("227 Entering Passive Mode (198,51,100,20,11,184)")
        #expect(ControlBench.passes(verdict) && bench.filter.gateways.tally.unasked == 1)
        _ = bench.say("PASV")
        _ = bench.reply("229 ok (|||3000|)")
        _ = bench.reply("530 Log in first")
        _ = bench.reply("227 Entering Passive Mode (198,51,100,20,11,184)")
        #expect(bench.filter.gateways.tally.unasked == 3 && bench.filter.gateways.pinholeCount == 0)
    }

    @Test func `a line in the middle of a line, cut in two, or damaged opens nothing`() {
        var bench = connected()
        _ = bench.say("USER anonymous")
        _ = bench.reply("331 Any password will do")
        _ = bench.say("PASV")
        // What the server quotes of its client begins a segment of its own, but no line.
        _ = bench.evaluate(bench.answer, [.psh, .ack], "500 Unknown: ", sequence: bench.serverSequence)
        bench.serverSequence &+= 13
        _ = bench.reply("227 Entering Passive Mode (198,51,100,20,11,184)")
        #expect(bench.filter.gateways.pinholeCount == 0 && bench.filter.gateways.tally.unread == 2)
        let whole = "227 Entering Passive Mode (198,51,100,20,11,184)\r\n"
        for cut in 1..<(whole.utf8.count - 1) {
            let (a, b) = (String(whole.prefix(cut)), String(whole.dropFirst(cut)))
            _ = bench.evaluate(bench.answer, [.psh, .ack], a, sequence: bench.serverSequence)
            _ = bench.evaluate(bench.answer, [.psh, .ack], b, sequence: bench.serverSequence &+ UInt32(a.utf8.count))
            bench.serverSequence &+= UInt32(whole.utf8.count)
            #expect(bench.filter.gateways.pinholeCount == 0, "cut at \(cut)")
        }
        let damaged = bench.evaluate(
            bench.answer, [.psh, .ack], whole, sequence: bench.serverSequence, breaksChecksum: true)
        #expect(ControlBench.passes(damaged) && bench.filter.gateways.pinholeCount == 0)
        _ = bench.reply(String(whole.dropLast(2)))
        #expect(bench.filter.gateways.pinholeCount == 1)
    }

    @Test func `a guess without the place in the stream opens nothing`() {
        var bench = connected()
        _ = bench.say("PASV")
        _ = bench.reply("200 ok")
        for guess: UInt32 in [
            0, 1, bench.serverSequence &- 1, bench.serverSequence &+ 1, bench.serverSequence &+ 70_000,
        ] {
            _ = bench.evaluate(
                bench.answer, [.psh, .ack], "227 (198,51,100,20,11,184)\r\n", sequence: guess)
        }
        #expect(bench.filter.gateways.pinholeCount == 0)
    }

    @Test func `a pinhole ends with its time, with the next announcement, and with its control connection`() {
        var bench = connected()
        bench.agree(on: 3000)
        bench.agree(on: 3001)
        #expect(bench.filter.gateways.pinholeCount == 1)
        let replaced = opens(&bench, bench.data(to: 3000))
        #expect(!replaced)
        bench.now = bench.now + ApplicationGateways<IPv4>.pinholeLifetime
        let late = opens(&bench, bench.data(to: 3001))
        #expect(!late)
        bench.filter.advance(to: bench.now)
        #expect(bench.filter.gateways.pinholeCount == 0 && bench.filter.gateways.tally.expired == 1)
        bench.agree(on: 3002)
        _ = bench.evaluate(bench.flow, .rst)
        #expect(bench.filter.gateways.pinholeCount == 0)
        let afterReset = opens(&bench, bench.data(to: 3002))
        #expect(!afterReset)
        bench.filter.install([], otherwise: .deny)
        #expect(bench.filter.count == 0 && bench.filter.gateways.pinholeCount == 0)
    }

    @Test func `where there is no room an announcement passes and opens nothing, and what exists stays`() {
        var bench = ControlBench(capacity: 4)
        // Four control connections find a place among the sessions, and among those that are read.
        bench.connect()
        bench.agree(on: 3000)
        for number in 1..<6 as Range<UInt16> {
            bench.flow.sourcePort = 4000 + number
            (bench.clientSequence, bench.serverSequence) = (1, 1)
            bench.connect()
            bench.agree(on: 3000 + number)
        }
        #expect(bench.filter.count == 4 && bench.filter.gateways.pinholeCount == 4)
        bench.flow.sourcePort = 4000
        _ = bench.evaluate(bench.flow, .rst)
        let data = opens(&bench, bench.data(to: 3001))
        #expect(!data, "the session table is full")
        #expect(
            bench.filter.gateways.pinholeCount == 3,
            "that of the connection that was reset is gone, the one not used stays")
    }

    // MARK: Translation

    private static let external = IPv4Address(203, 0, 113, 1)

    private static func nat() -> SourceNAT<IPv4> {
        SourceNAT<IPv4>(
            pools: [NATPool(name: "internet", addresses: [external], ports: 1024...65535)],
            rules: [NATRule(source: IPv4Network("192.0.2.0/24")!, destinationPorts: 21...21, pool: "internet")],
            capacity: 64)
    }

    @Test
    func `a translated client's data connection has the control connection's pool, whatever the rules of NAT say`()
        throws
    {
        var bench = connected(ControlBench(nat: Self.nat()))
        bench.agree(on: 3000)
        let opened = opens(&bench, bench.data(to: 3000))
        #expect(opened)
        let match = bench.filter.table.find(bench.data(to: 3000))
        let index = try #require(match).index
        let outgoing = bench.filter.outgoing(of: index, arrivedAs: bench.data(to: 3000))
        #expect(outgoing.source == Self.external && outgoing.destination == ControlBench.server)
    }

    @Test func `a translated client cannot announce an endpoint of its own`() {
        var bench = connected(ControlBench(nat: Self.nat()))
        let verdict = bench.say("PORT 192,0,2,10,15,160")
        #expect(verdict == .drop(.announcement))
        #expect(bench.filter.gateways.tally.translated == 1 && bench.filter.gateways.pinholeCount == 0)
    }

    // MARK: Records of the peer

    private static func peer(_ gateways: [ApplicationGateway] = [.ftp]) -> SessionEngine<IPv4> {
        SessionEngine<IPv4>(capacity: 64, rules: [ControlBench.rule], otherwise: .deny, gateways: gateways)
    }

    private func evaluate(_ peer: inout SessionEngine<IPv4>, _ flow: FiveTuple, at now: Instant) -> Bool {
        ControlBench.passes(SessionEngineTests.evaluate(&peer, flow, .syn, at: now))
    }

    @Test func `the peer lets the connection through that was announced before it took over`() throws {
        var bench = connected()
        bench.agree(on: 3000)
        let records = bench.filter.allRecords(at: bench.now)
        let pinhole = PinholeRecord(
            expected: bench.data(to: 3000, from: 0), control: bench.flow, remainingMilliseconds: 60_000)
        #expect(records.contains(.pinhole(pinhole)))
        let later = Instant(nanoseconds: 77_000_000_000)
        var peer = Self.peer()
        peer.adopt(records, at: later)
        #expect(peer.gateways.pinholeCount == 1 && peer.gateways.tally.adopted == 1)
        let passes = evaluate(&peer, bench.data(to: 3000), at: later)
        #expect(passes && peer.gateways.pinholeCount == 0)
        let match = peer.table.find(bench.data(to: 3000))
        let index = try #require(match).index
        #expect(peer.table[index].rule == ControlBench.rule.identity)
    }

    @Test func `a peer that learns of the connection closes its pinhole`() {
        var bench = connected()
        bench.agree(on: 3000)
        var peer = Self.peer()
        peer.adopt(bench.filter.allRecords(at: bench.now), at: bench.now)
        #expect(peer.gateways.pinholeCount == 1)
        _ = bench.opens(bench.data(to: 3000))
        let records = bench.filter.allRecords(at: bench.now)
        guard records.count == 2, case .session(let session) = records[1] else {
            return #expect(Bool(false), "\(records)")
        }
        #expect(session.flags.contains(.pinhole))
        peer.adopt(records, at: bench.now)
        #expect(peer.gateways.pinholeCount == 0)
        let second = evaluate(&peer, bench.data(to: 3000, from: 5001), at: bench.now)
        #expect(!second)
    }

    @Test func `a peer that learns of the control connection's end closes its pinhole`() {
        var bench = connected()
        bench.agree(on: 3000)
        var peer = Self.peer()
        peer.adopt(bench.filter.allRecords(at: bench.now), at: bench.now)
        #expect(peer.gateways.pinholeCount == 1)
        _ = bench.evaluate(bench.flow, .rst)
        peer.adopt(bench.filter.allRecords(at: bench.now), at: bench.now)
        #expect(bench.filter.gateways.pinholeCount == 0 && peer.gateways.pinholeCount == 0)
    }

    @Test func `the first line after a takeover counts, wherever in the stream it stands`() {
        let bench = connected()
        var peer = ControlBench()
        peer.filter.adopt(bench.filter.allRecords(at: bench.now), at: peer.now)
        // The question was seen by the box that is dead.
        peer.serverSequence = 0x1234_5678
        _ = peer.reply("227 Entering Passive Mode (198,51,100,20,11,184)")
        #expect(peer.filter.gateways.pinholeCount == 1)
        _ = peer.reply("227 Entering Passive Mode (198,51,100,20,11,185)")
        #expect(peer.filter.gateways.tally.unasked == 1, "from now on it is known what was asked")
    }
}
