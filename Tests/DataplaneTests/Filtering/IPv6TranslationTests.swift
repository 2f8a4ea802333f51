import Dataplane
import LabTime
import Testing
import Wire

/// Translation, announcements and records of a session engine with IPv6.
struct IPv6TranslationTests {
    typealias Engine = SessionEngine<IPv6>

    private static func engine(share: NATShare = .all, gateways: [ApplicationGateway] = []) -> Engine {
        let pool = IPNATPool<IPv6>(name: "pool", addresses: [IPv6Frames.external])
        let rule = IPNATRule<IPv6>(source: IPv6Network(IPv6Frames.client, prefixLength: 64), pool: "pool")
        return Engine(
            capacity: 16, nat: SourceNAT<IPv6>(pools: [pool], rules: [rule], capacity: 16, share: share),
            gateways: gateways)
    }

    private static func outgoing(_ engine: inout Engine, _ flow: IPv6FiveTuple) -> IPv6FiveTuple? {
        let frame = flow.protocol == .tcp ? IPv6Frames.tcp(flow, .syn) : IPv6Frames.udp(flow)
        guard case .pass(let index) = IPv6Frames.evaluate(&engine, frame) else { return nil }
        return engine.outgoing(of: index, arrivedAs: flow)
    }

    @Test func `an inside endpoint has one external endpoint, and answers come back`() throws {
        var engine = Self.engine()
        let first = try #require(Self.outgoing(&engine, IPv6Frames.flow(5000, .udp)))
        let second = try #require(Self.outgoing(&engine, IPv6Frames.flow(5000, .udp, to: 81)))
        #expect(first.source == IPv6Frames.external && first.sourcePort == 5000)
        #expect(second.source == first.source && second.sourcePort == first.sourcePort)
        #expect(engine.nat.count == 1)
        let answer = IPv6Frames.evaluate(&engine, IPv6Frames.udp(first.reversed))
        guard case .pass(let index) = answer else {
            Issue.record("\(answer)")
            return
        }
        let inside = engine.outgoing(of: index, arrivedAs: first.reversed)
        #expect(inside == IPv6Frames.flow(5000, .udp).reversed)
        engine.advance(to: IPv6Frames.start + .seconds(301))
        #expect(engine.count == 0 && engine.nat.count == 0)
    }

    @Test func `a translated packet has right checksums`() throws {
        var engine = Self.engine()
        for flow in [IPv6Frames.flow(5000, .udp), IPv6Frames.flow(5001)] {
            let outgoing = try #require(Self.outgoing(&engine, flow))
            let frame = flow.protocol == .tcp ? IPv6Frames.tcp(flow, .syn) : IPv6Frames.udp(flow)
            let isRight = IPv6Frames.withPacket(frame) { packet, buffer in
                var packet = packet
                PacketTranslation(outgoing).apply(to: &packet)
                return packet.isTransportChecksumValid && IPv6PacketView(buffer)?.fiveTuple == outgoing
            }
            #expect(isRight == true)
        }
    }

    /// The quote of an error, and the error itself, name what the inside knows.
    @Test(arguments: [IPProtocol.tcp, .udp, .icmpv6])
    func `an error about a translated packet is translated with what it quotes`(proto: IPProtocol) throws {
        var engine = Self.engine()
        let inside: [UInt8]
        switch proto {
        case .tcp: inside = IPv6Frames.tcp(IPv6Frames.flow(5000), .syn)
        case .udp: inside = IPv6Frames.udp(IPv6Frames.flow(5000, .udp))
        default:
            inside = IPv6Frames.icmp(
                ICMPv6Header(type: .echoRequest, rest: 7 << 16), from: IPv6Frames.client, to: IPv6Frames.server)
        }
        let flow = try #require(IPv6Frames.withPacket(inside) { packet, _ in packet.fiveTuple })
        guard case .pass(let index) = IPv6Frames.evaluate(&engine, inside) else {
            Issue.record("refused")
            return
        }
        // What leaves, in the bytes of the frame.
        var sent = inside
        sent.withUnsafeMutableBytes { buffer in
            guard var packet = IPv6PacketView(buffer) else { return }
            PacketTranslation(engine.outgoing(of: index, arrivedAs: flow)).apply(to: &packet)
        }
        let error = IPv6Frames.error(
            .unreachable, about: sent, from: IPv6Frames.router, to: IPv6Frames.external)
        #expect(IPv6Frames.passes(&engine, error))
        var translated = error
        translated.withUnsafeMutableBytes { buffer in
            guard var packet = IPv6PacketView(buffer),
                let translation = engine.translation(ofError: packet, about: index)
            else {
                Issue.record("no translation")
                return
            }
            translation.apply(to: &packet)
            #expect(packet.isTransportChecksumValid && packet.destination == IPv6Frames.client)
            #expect(packet.quoted?.fiveTuple == flow)
        }
        // The quote is the packet as the inside sent it, checksums and all.
        #expect(Array(translated[62...]) == Array(inside[14...]))
    }

    @Test func `FTP over IPv6 announces by EPRT, and its connection passes the policy`() {
        let rule = IPFilterRule<IPv6>(name: "ftp", action: .allow, protocol: .tcp, destinationPorts: 21...21)
        var engine = Engine(capacity: 16, rules: [rule], otherwise: .deny, gateways: [.ftp])
        let control = IPv6Frames.flow(5000, to: 21)
        #expect(IPv6Frames.passes(&engine, IPv6Frames.tcp(control, .syn)))
        #expect(IPv6Frames.passes(&engine, IPv6Frames.tcp(control.reversed, [.syn, .ack])))
        let data = IPv6FiveTuple(
            source: IPv6Frames.server, destination: IPv6Frames.client, sourcePort: 20, destinationPort: 2000,
            protocol: .tcp)
        #expect(IPv6Frames.evaluate(&engine, IPv6Frames.tcp(data, .syn)) == .drop(.policy))
        #expect(IPv6Frames.passes(&engine, IPv6Frames.tcp(control, [.psh, .ack], "EPRT |2|2001:db8::10|2000|\r\n")))
        #expect(engine.gateways.pinholeCount == 1)
        #expect(IPv6Frames.passes(&engine, IPv6Frames.tcp(data, .syn)))
        // Of another host than the one that announces.
        let bounce = IPv6Frames.tcp(control, [.psh, .ack], "EPRT |2|2001:db8::11|2000|\r\n", sequence: 29)
        #expect(IPv6Frames.evaluate(&engine, bounce) == .drop(.announcement))
    }

    @Test func `a peer that adopts a record passes the session's packets, translated alike`() throws {
        var active = Self.engine(share: .first)
        var backup = Self.engine(share: .second)
        var reports = SessionReports<IPv6>()
        let flow = IPv6Frames.flow(5000)
        let verdict = IPv6Frames.evaluate(&active, IPv6Frames.tcp(flow, .syn), reporting: &reports)
        guard case .pass(let index) = verdict else {
            Issue.record("refused")
            return
        }
        let outgoing = active.outgoing(of: index, arrivedAs: flow)
        backup.adopt(reports.takeRecords(of: active, at: IPv6Frames.start), at: IPv6Frames.start)
        #expect(backup.count == 1 && backup.nat.count == 1)
        let answer = IPv6Frames.evaluate(&backup, IPv6Frames.tcp(outgoing.reversed, [.syn, .ack]))
        guard case .pass(let place) = answer else {
            Issue.record("\(answer)")
            return
        }
        let inside = backup.outgoing(of: place, arrivedAs: outgoing.reversed)
        #expect(inside == flow.reversed)
    }
}
