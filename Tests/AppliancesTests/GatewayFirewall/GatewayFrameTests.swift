import Appliances
import Configuration
import Dataplane
import LabTime
import PacketText
import TestSupport
import Testing
import VirtualNetwork
import Wire

@Suite struct `A gateway firewall's frames` {
    @Test func `of ARP and other protocols pass a transparent one unchanged, both ways`() throws {
        let bench = try GatewayBench(.nsxGateway, [.both, .both])
        let arp = PacketText().bytes(
            "arp who-has 10.0.0.3 tell 10.0.0.1", from: GatewayBench.balancerMAC, to: .broadcast)
        #expect(bench.send(arp, into: 0) == .passed)
        #expect(bench.send(arp, into: 1) == .passed)
        for type in [0x86dd, 0x88cc, 0x8100, 0x0100] as [UInt16] {
            var frame = [UInt8](repeating: 0xa5, count: 60)
            (frame[12], frame[13]) = (UInt8(type >> 8), UInt8(type & 0xff))
            #expect(bench.send(frame, into: 0) == .passed, "EtherType \(type)")
        }
        #expect(bench.stateCount == 0)
    }

    @Test(arguments: [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1]])
    func `that are fragments follow the datagram's first one, in any order, through a transparent one and a routed one`(
        order: [Int]
    ) throws {
        for isRouted in [false, true] {
            let bench =
                try isRouted
                ? GatewayBench(routed: .pf, [.both, .both]) : GatewayBench(.pf, [.both, .both])
            for round in 0..<3000 as Range<UInt16> {
                let parts = bench.fragments(identification: round, isRouted: isRouted)
                let out = order.flatMap { bench.raw(parts[$0], into: 0) }
                let left = out.filter { $0.side == .wire && $0.port == 1 }.map(\.bytes)
                // A routed one asks for the server first.
                if isRouted, round == 0 {
                    bench.answerARP()
                    continue
                }
                #expect(left.count == 4, "round \(round)")
                #expect(Set(left.map { Array($0[18...]) }).count == 4)
                if !isRouted { #expect(Set(left) == Set(parts)) }
            }
            #expect(bench.counter("drop.fragment") == 0)
            #expect(bench.stateCount == 1)
            bench.wait(.seconds(3))
            #expect(bench.counter("fragments.datagrams") == 0 && bench.counter("fragments.held") == 0)
        }
    }

    @Test func `that are fragments of a refused datagram are refused to the last`() throws {
        let bench = try GatewayBench(.pf, [.both, .both], capacity: 1)
        bench.out(.syn)
        let parts = bench.fragments(identification: 1, isRouted: false)
        for place in [1, 0, 2, 3] { #expect(bench.send(parts[place], into: 0) == .dropped) }
        #expect(bench.counter("drop.flow-table-full") == 4)
    }

    @Test func `that are fragments without a first one wait two seconds, and no more than fit`() throws {
        let bench = try GatewayBench(.nsxGateway, [.both, .both])
        for identification in 0..<300 as Range<UInt16> {
            #expect(
                bench.send(bench.fragments(identification: identification, isRouted: false)[2], into: 0) == .dropped)
        }
        #expect(bench.counter("fragments.held") == 128)
        bench.wait(.seconds(3))
        #expect(bench.counter("fragments.held") == 0)
        #expect(bench.counter("drop.fragment") == 300)
    }

    @Test func `that exceed the next link's MTU leave a routed one in fragments, or are answered`() throws {
        let bench = try GatewayBench(routed: .pf, [.both, .both], mtus: [9000, 1500])
        bench.routeOne()
        let frame = bench.datagram(identification: 9, payload: 8000, isRouted: true)
        let left = bench.raw(frame, into: 0).filter { $0.port == 1 && $0.side == .wire }
        #expect(left.count == 6)
        #expect(left.allSatisfy { $0.bytes.count <= 1514 })
        var whole = frame
        whole[20] = 0x40
        whole.withUnsafeMutableBytes { buffer in
            buffer.baseAddress!.write(UInt16(0), at: 24)
            buffer.baseAddress!.write(
                Checksum.of(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[14..<34])), at: 24)
        }
        _ = bench.raw(whole, into: 0)
        #expect(bench.counter("drop.packet-too-big") == 1)
        #expect(bench.counter("icmp.made") == 1)
    }

    @Test func `that are broken are dropped and counted`() throws {
        let bench = try GatewayBench(.nsxGateway)
        var frame = GatewayBench.tcp(
            GatewayBench.flow().reversed, .ack, from: GatewayBench.memberMAC, to: GatewayBench.balancerMAC)
        frame[24] ^= 1
        #expect(bench.send(frame, into: 1) == .dropped)
        #expect(bench.counter("drop.bad-header-checksum") == 1)
        #expect(bench.send([1, 2, 3], into: 1) == .dropped)
        #expect(bench.counter("drop.malformed-frame") == 1)
        let tooLong = [UInt8](repeating: 0, count: 1519)
        #expect(bench.send(tooLong, into: 1) == .dropped)
        #expect(bench.counter("drop.malformed-frame") == 2)
    }

    @Test func `from the far side are not judged where an interface filters inbound only`() throws {
        let bench = try GatewayBench(.nsxGateway)
        for flags in [.syn, .ack, [.fin, .ack], .rst] as [TCPFlags] { #expect(bench.out(flags) == .passed) }
        #expect(bench.stateCount == 0)
        bench.back([.fin, .ack])
        let before = bench.connections
        // Nor do they touch a state that is there.
        bench.wait(.seconds(1))
        #expect(bench.out([.fin, .ack]) == .passed)
        #expect(bench.out(.rst) == .passed)
        #expect(bench.connections.map(\.state) == before.map(\.state))
        #expect(bench.connections.map(\.remaining) == before.map { ($0.remaining ?? .zero) - .seconds(1) })
    }

    @Test func `that leave are judged where only the far interface filters both directions`() throws {
        let bench = try GatewayBench(.nsxGateway, [.off, .both])
        #expect(bench.out(.syn) == .passed)
        #expect(
            bench.connections.map(\.description)
                == ["10.0.0.1:4000 -> 10.0.0.3:443 dir out protocol tcp state SYN_SENT:CLOSED"])
        #expect(bench.connections.map(\.interface) == ["servers"])
        #expect(bench.back([.syn, .ack]) == .passed)
        #expect(bench.state == "ESTABLISHED:SYN_SENT opening")
    }

    @Test func `with an ICMP error pass with the state of the quoted packet`() throws {
        let bench = try GatewayBench(.pf, [.both, .both], midStreamPickup: .strict)
        func error(quoting flow: FiveTuple, sequence: UInt32) -> [UInt8] {
            let quoted = GatewayBench.tcp(
                flow, .syn, sequence: sequence, from: GatewayBench.balancerMAC, to: GatewayBench.memberMAC)
            return PacketText().bytes(
                "icmp 10.0.0.3 > 10.0.0.1 3/3", payload: Array(quoted[14..<42]), from: GatewayBench.memberMAC,
                to: GatewayBench.balancerMAC)
        }
        #expect(bench.send(error(quoting: GatewayBench.flow(), sequence: 1000), into: 1) == .dropped)
        bench.out(.syn, 1000)
        #expect(bench.send(error(quoting: GatewayBench.flow(), sequence: 1000), into: 1) == .passed)
        #expect(bench.send(error(quoting: GatewayBench.flow(), sequence: 900_000), into: 1) == .dropped)
        #expect(bench.send(error(quoting: GatewayBench.flow(4001), sequence: 1000), into: 1) == .dropped)
        #expect(bench.state == "SYN_SENT:CLOSED first-packet")
    }

    @Test func `are routed, with the same states`() throws {
        let bench = try GatewayBench(routed: .nsxGateway, [.off, .inboundOnly])
        let server = IPv4Address(10, 0, 1, 3)
        func learn(_ address: IPv4Address, _ mac: MACAddress, _ port: PortIndex) {
            let own = IPv4Address(10, 0, port, 254)
            let request = PacketText().bytes("arp who-has \(own) tell \(address)", from: mac, to: .broadcast)
            #expect(bench.raw(request, into: port).count == 1)
        }
        learn(GatewayBench.balancer, GatewayBench.balancerMAC, 0)
        learn(server, GatewayBench.memberMAC, 1)
        var flow = GatewayBench.flow()
        flow.destination = server
        func fromServer(_ flags: TCPFlags) -> [UInt8] {
            GatewayBench.tcp(
                flow.reversed, flags, acknowledgement: 90_001, from: GatewayBench.memberMAC,
                to: GatewayBench.routedMACs[1])
        }
        let syn = bench.raw(
            GatewayBench.tcp(flow, .syn, from: GatewayBench.balancerMAC, to: GatewayBench.routedMACs[0]), into: 0)
        #expect(syn.map(\.port) == [1])
        #expect(bench.stateCount == 0)
        let fin = bench.raw(fromServer([.fin, .ack]), into: 1)
        #expect(fin.map(\.port) == [0])
        #expect(fin.first.map { SeenFrame(bytes: $0.bytes).timeToLive } == 63)
        #expect(bench.state == "CLOSING:CLOSED first-packet")
        let refused = bench.raw(fromServer([.syn, .ack]), into: 1)
        #expect(refused.map(\.port) == [1])
        let answer = SeenFrame(bytes: refused.first?.bytes ?? [])
        #expect(answer.destination == GatewayBench.memberMAC)
        #expect(answer.source == GatewayBench.routedMACs[1])
        #expect(answer.flow?.source == GatewayBench.balancer)
        #expect(answer.flow?.destination == server)
        // The gateway's own host side is not judged where it only leaves.
        let own = GatewayBench.tcp(
            FiveTuple(
                source: IPv4Address(10, 0, 1, 254), destination: server, sourcePort: 9, destinationPort: 9,
                protocol: .tcp), .syn, from: GatewayBench.routedMACs[1], to: GatewayBench.memberMAC)
        #expect(bench.raw(own, into: 1, side: .host).map(\.side) == [.wire])
        #expect(bench.stateCount == 1)
    }

    @Test func `are not passed to a port without carrier`() throws {
        let bench = try GatewayBench(.nsxGateway)
        #expect(
            bench.box.perform(.carrier(port: "inside", isUp: false)) == .done)
        #expect(bench.back([.syn, .ack]) == .dropped)
        #expect(bench.counter("drop.carrier-down") == 1)
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func `as garbage never crash it, and what leaves is what came or a well-formed answer`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let profile = StateProfile.allCases[Int(seed % 3)]
        let bench = try GatewayBench(
            profile, seed % 2 == 0 ? [.both, .both] : [.off, .inboundOnly],
            outOfState: OutOfStatePolicy.allCases[Int(seed % 3)],
            capacity: 64)
        for step in 0..<5000 {
            var flow = GatewayBench.flow(.random(in: 4000...4100, using: &random))
            let isBack = Bool.random(using: &random)
            if isBack { flow = flow.reversed }
            var bytes = GatewayBench.tcp(
                flow, TCPFlags(rawValue: .random(in: 0...0x3f, using: &random)),
                sequence: .random(in: .min ... .max, using: &random),
                acknowledgement: .random(in: .min ... .max, using: &random),
                payload: .random(in: 0...40, using: &random), window: .random(in: .min ... .max, using: &random),
                scale: Bool.random(using: &random) ? .random(in: 0...255, using: &random) : nil,
                from: isBack ? GatewayBench.memberMAC : GatewayBench.balancerMAC,
                to: isBack ? GatewayBench.balancerMAC : GatewayBench.memberMAC)
            switch Int.random(in: 0..<5, using: &random) {
            case 0:
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: .min ... .max, using: &random)
                }
            case 1: bytes.removeLast(Int.random(in: 0..<(bytes.count - 1), using: &random))
            default: break
            }
            let port: PortIndex = isBack ? 1 : 0
            switch bench.send(bytes, into: port) {
            case .passed, .dropped: break
            case .answered(var answer):
                let isWellFormed = answer.withUnsafeMutableBytes { PacketView($0)?.isTransportChecksumValid ?? false }
                #expect(isWellFormed, "seed \(seed), step \(step)")
            case .other(let frames): Issue.record("seed \(seed), step \(step): \(frames.count) frames")
            }
            #expect(bench.stateCount <= 64, "seed \(seed), step \(step)")
            if step % 100 == 0 { bench.wait(.seconds(.random(in: 0...30, using: &random))) }
        }
        bench.wait(.seconds(100_000))
        #expect(bench.stateCount == 0, "seed \(seed)")
    }

    @Test func `need ports that fit the mode`() {
        func message(_ mode: GatewayMode, ports: Int, filtering: Int, mtu: Int = 1500) -> String? {
            let all = (0..<ports).map {
                PortConfiguration(
                    name: "p\($0)", mac: GatewayBench.balancerMAC, address: nil, mtu: $0 == 0 ? 1500 : mtu)
            }
            do {
                _ = try GatewayFirewall(
                    GatewayFirewallConfiguration(
                        name: "gw", ports: all, mode: mode, profile: .pf,
                        filtering: .init(repeating: .both, count: filtering)))
                return nil
            } catch {
                return error.description
            }
        }
        #expect(message(.transparent, ports: 2, filtering: 2) == nil)
        #expect(
            message(.transparent, ports: 3, filtering: 3)
                == "the transparent gateway firewall 'gw' joins two ports; it has 3")
        #expect(message(.routed, ports: 3, filtering: 2) == "'gw' has 3 ports, but 2 of them say what they filter")
        #expect(message(.transparent, ports: 2, filtering: 2, mtu: 1400)?.contains("MTU 1500 and 1400") == true)
    }
}
