import Dataplane
import LabTime
import Testing
import Wire

/// The session engine with the other family: what `SessionEngineTests` shows of IPv4.
struct IPv6SessionEngineTests {
    typealias Engine = SessionEngine<IPv6>

    private static let web = IPFilterRule<IPv6>(
        name: "web", action: .allow, sources: [IPv6Network(IPv6Frames.client, prefixLength: 64)], protocol: .tcp,
        destinationPorts: 80...80)

    @Test func `a handshake opens a session and establishes it`() {
        var engine = Engine(capacity: 16)
        let flow = IPv6Frames.flow(40_000)
        var reports = SessionReports<IPv6>()
        let syn = IPv6Frames.evaluate(&engine, IPv6Frames.tcp(flow, .syn), reporting: &reports)
        guard case .pass(let index) = syn else {
            Issue.record("\(syn)")
            return
        }
        #expect(reports.take() == [.opened(index, isBlocked: false)])
        #expect(IPv6Frames.passes(&engine, IPv6Frames.tcp(flow.reversed, [.syn, .ack])))
        #expect(IPv6Frames.passes(&engine, IPv6Frames.tcp(flow, .ack)))
        let state = IPv6Frames.session(engine, flow)?.state
        let outgoing = engine.outgoing(of: index, arrivedAs: flow)
        #expect(state == SessionState(original: .established, reply: .established))
        #expect(engine.count == 1 && outgoing == flow)
        // A day without packets, as IPv4.
        engine.advance(to: IPv6Frames.start + .seconds(86_399))
        #expect(engine.count == 1)
        engine.advance(to: IPv6Frames.start + .seconds(86_401))
        #expect(engine.count == 0)
    }

    @Test(arguments: [TCPFlags.ack, [.syn, .ack], .rst, [.fin, .ack]])
    func `a TCP packet in mid-stream without a session is dropped`(flags: TCPFlags) {
        var engine = Engine(capacity: 16)
        #expect(IPv6Frames.evaluate(&engine, IPv6Frames.tcp(IPv6Frames.flow(1), flags)) == .drop(.noSession))
    }

    @Test func `addresses that differ in one half alone are other flows`() {
        var engine = Engine(capacity: 16)
        #expect(IPv6Frames.passes(&engine, IPv6Frames.tcp(IPv6Frames.flow(1), .syn)))
        for change in [UInt64(1), 1 << 63] {
            for isHigh in [true, false] {
                var other = IPv6Frames.flow(1)
                other.source = IPv6Address(
                    high: other.source.high ^ (isHigh ? change : 0), low: other.source.low ^ (isHigh ? 0 : change))
                #expect(IPv6Frames.evaluate(&engine, IPv6Frames.tcp(other, .ack)) == .drop(.noSession))
            }
        }
    }

    @Test func `the policy decides by networks of IPv6, and ends the sessions that it denies`() {
        var engine = Engine(capacity: 16, rules: [Self.web], otherwise: .deny)
        let flow = IPv6Frames.flow(1)
        #expect(IPv6Frames.passes(&engine, IPv6Frames.tcp(flow, .syn)))
        let rule = IPv6Frames.session(engine, flow)?.rule
        #expect(rule == Self.web.identity)
        #expect(IPv6Frames.evaluate(&engine, IPv6Frames.tcp(IPv6Frames.flow(1, to: 443), .syn)) == .drop(.policy))
        #expect(IPv6Frames.evaluate(&engine, IPv6Frames.udp(IPv6Frames.flow(1, .udp))) == .drop(.policy))
        var stranger = flow
        stranger.source = IPv6Frames.router
        #expect(IPv6Frames.evaluate(&engine, IPv6Frames.tcp(stranger, .syn)) == .drop(.policy))
        let ended = engine.install([], otherwise: .deny)
        #expect(ended == 1)
        #expect(engine.count == 0)
    }

    @Test func `UDP passes both ways, for as long as both have sent`() {
        var engine = Engine(capacity: 16)
        let flow = IPv6Frames.flow(5000, .udp, to: 53)
        #expect(IPv6Frames.passes(&engine, IPv6Frames.udp(flow)))
        #expect(IPv6Frames.passes(&engine, IPv6Frames.udp(flow.reversed)))
        engine.advance(to: IPv6Frames.start + .seconds(299))
        #expect(engine.count == 1)
        engine.advance(to: IPv6Frames.start + .seconds(301))
        #expect(engine.count == 0)
    }

    @Test func `an echo request opens a session by its identifier, for a minute`() {
        var engine = Engine(capacity: 16)
        let (client, server) = (IPv6Frames.client, IPv6Frames.server)
        let request = IPv6Frames.icmp(ICMPv6Header(type: .echoRequest, rest: 7 << 16 | 1), from: client, to: server)
        let answer = IPv6Frames.icmp(ICMPv6Header(type: .echoReply, rest: 7 << 16 | 1), from: server, to: client)
        let other = IPv6Frames.icmp(ICMPv6Header(type: .echoReply, rest: 8 << 16 | 1), from: server, to: client)
        #expect(IPv6Frames.evaluate(&engine, answer) == .drop(.noSession))
        #expect(IPv6Frames.passes(&engine, request))
        #expect(IPv6Frames.passes(&engine, answer))
        #expect(IPv6Frames.evaluate(&engine, other) == .drop(.noSession))
        engine.advance(to: IPv6Frames.start + .seconds(61))
        #expect(engine.count == 0)
    }

    @Test(arguments: [ICMPv6Type.unreachable, .packetTooBig, .timeExceeded, .parameterProblem])
    func `an error that quotes a session's packet passes, whoever sends it`(type: ICMPv6Type) {
        var engine = Engine(capacity: 16)
        let flow = IPv6Frames.flow(1)
        let frame = IPv6Frames.tcp(flow, .syn)
        func error(_ frame: [UInt8], quoting count: Int = 1232) -> [UInt8] {
            IPv6Frames.error(type, about: frame, from: IPv6Frames.router, to: flow.source, quoting: count)
        }
        #expect(IPv6Frames.evaluate(&engine, error(frame)) == .drop(.noSession))
        #expect(IPv6Frames.passes(&engine, frame))
        let before = engine.table.expiry(of: FlowIndex(rawValue: 0))
        #expect(IPv6Frames.passes(&engine, error(frame), at: IPv6Frames.start + .seconds(10)))
        // Neither refreshed nor ended.
        let after = engine.table.expiry(of: FlowIndex(rawValue: 0))
        #expect(after == before && engine.count == 1)
        // The ports are the first four bytes behind the header.
        #expect(IPv6Frames.passes(&engine, error(frame, quoting: 48)))
        #expect(IPv6Frames.evaluate(&engine, error(frame, quoting: 47)) == .drop(.noSession))
        #expect(IPv6Frames.evaluate(&engine, error(IPv6Frames.tcp(IPv6Frames.flow(2), .syn))) == .drop(.noSession))
        // About a packet that its receiver never sent.
        let forged = IPv6Frames.error(type, about: frame, from: IPv6Frames.router, to: IPv6Frames.external)
        #expect(IPv6Frames.evaluate(&engine, forged) == .drop(.noSession))
    }

    @Test(arguments: [UInt8(133), 135, 136, 137, 143, 5, 0])
    func `other messages open no session and belong to none`(type: UInt8) {
        var engine = Engine(capacity: 16)
        let message = IPv6Frames.icmp(
            ICMPv6Header(type: ICMPv6Type(rawValue: type)), from: IPv6Frames.client, to: IPv6Frames.server,
            body: [UInt8](repeating: 0, count: 24))
        #expect(IPv6Frames.evaluate(&engine, message) == .drop(.noSession))
    }

    @Test func `a fragment is none of the engine's, and ICMP of IPv4 is a protocol like others`() {
        var engine = Engine(capacity: 16)
        let datagram = IPv6Frames.udp(IPv6Frames.flow(1, .udp), String(repeating: "x", count: 100))
        for fragment in IPv6Frames.fragments(of: datagram, 48, identification: 7) {
            #expect(IPv6Frames.evaluate(&engine, fragment) == .drop(.fragment))
        }
        var bytes = IPv6Frames.icmp(
            ICMPv6Header(type: .unreachable), from: IPv6Frames.client, to: IPv6Frames.server)
        bytes[20] = IPProtocol.icmp.rawValue
        #expect(IPv6Frames.passes(&engine, bytes))
        #expect(engine.count == 1)
    }

    // MARK: Fragments

    @Test func `fragments follow what was decided about the first one, in any order`() throws {
        var table = FragmentTable<IPv6>(datagrams: 4, frames: 4)
        let now = IPv6Frames.start
        let flow = IPv6Frames.flow(1, .udp)
        let datagram = IPv6Frames.udp(flow, String(repeating: "x", count: 100))
        let pieces = IPv6Frames.fragments(of: datagram, 48, identification: 0x0102_0304)
        let others = IPv6Frames.fragments(of: datagram, 48, identification: 0x0102_0305)
        #expect(pieces.count == 3)
        func reception(_ bytes: [UInt8], _ table: inout FragmentTable<IPv6>) -> String {
            var bytes = bytes
            return bytes.withUnsafeMutableBytes { buffer in
                guard let packet = IPv6PacketView(buffer), let base = buffer.baseAddress else { return "malformed" }
                let frame = Frame(base: base, length: Int32(buffer.count), port: 0, side: .wire)
                return "\(table.receive(packet, in: frame, at: now))"
            }
        }
        let early = [reception(pieces[2], &table), reception(others[1], &table), reception(pieces[0], &table)]
        #expect(early == ["held", "held", "first"])
        let isReleased = IPv6Frames.withPacket(pieces[0]) { packet, _ in
            #expect(packet.fiveTuple == flow && packet.layout.fragment == .first)
            table.decide(packet, .pass(as: flow, identification: 9), at: now)
            let released = table.nextReleased(of: packet).map { Array($0) }
            return released == pieces[2] && table.nextReleased(of: packet) == nil
        }
        #expect(isReleased == true)
        let late = reception(pieces[1], &table)
        #expect(late.hasPrefix("decided(") && table.heldCount == 1)
        // The other datagram's waits for its own first fragment.
        let timedOut = table.advance(to: now + .seconds(3))
        #expect(timedOut == 1)
    }

    @Test func `a second piece that would write over a TCP header is dropped`() {
        var table = FragmentTable<IPv6>()
        let pieces = IPv6Frames.fragments(of: IPv6Frames.tcp(IPv6Frames.flow(1), .syn), 8, identification: 1)
        let verdict = IPv6Frames.withPacket(pieces[1]) { packet, buffer in
            let frame = Frame(base: buffer.baseAddress!, length: Int32(buffer.count), port: 0, side: .wire)
            return "\(table.receive(packet, in: frame, at: IPv6Frames.start))"
        }
        #expect(verdict?.hasPrefix("drop(") == true)
    }

    @Test func `a fragment takes another identification, and a whole packet stays as it is`() throws {
        let datagram = IPv6Frames.udp(IPv6Frames.flow(1, .udp), String(repeating: "x", count: 40))
        for bytes in IPv6Frames.fragments(of: datagram, 24, identification: 7) + [datagram] {
            let isFragment = bytes[20] == 44
            _ = IPv6Frames.withPacket(bytes) { packet, buffer in
                IPv6.rewriteIdentification(packet, to: 0x0a0b_0c0d)
                let changed = isFragment ? Array(bytes[..<58]) + [10, 11, 12, 13] + Array(bytes[62...]) : bytes
                #expect(Array(buffer) == changed)
                #expect(IPv6.fragment(packet).identification == (isFragment ? 0x0a0b_0c0d : 0))
            }
        }
    }

    // MARK: A full table, ports again

    @Test func `a full table refuses new sessions and keeps the old ones`() {
        var engine = Engine(capacity: 2)
        for port in UInt16(1)...2 { #expect(IPv6Frames.passes(&engine, IPv6Frames.tcp(IPv6Frames.flow(port), .syn))) }
        #expect(IPv6Frames.evaluate(&engine, IPv6Frames.tcp(IPv6Frames.flow(3), .syn)) == .drop(.flowTableFull))
        #expect(IPv6Frames.passes(&engine, IPv6Frames.tcp(IPv6Frames.flow(1).reversed, [.syn, .ack])))
    }
}
