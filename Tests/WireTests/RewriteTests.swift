import Testing
import TestSupport
import Wire

@Suite struct `Rewriting a packet` {
    /// The frame after a rewrite, parsed anew, so that flow and checksums are what the wire would show.
    static func rewritten(_ frame: [UInt8], _ rewrite: (inout PacketView) -> Void) throws -> [UInt8] {
        let memory = GuardedMemory()
        return try withExtendedLifetime(memory) {
            let buffer = memory.place(frame)
            var packet = try #require(PacketView(buffer))
            rewrite(&packet)
            let fresh = try #require(PacketView(buffer), "the header checksum is wrong after the rewrite")
            #expect(fresh.fiveTuple == packet.fiveTuple, "the view and the bytes disagree")
            return Array(buffer)
        }
    }

    static func isValid(_ frame: [UInt8]) throws -> Bool {
        let memory = GuardedMemory()
        return try withExtendedLifetime(memory) {
            try #require(PacketView(memory.place(frame))).isTransportChecksumValid
        }
    }

    @Test(arguments: [Example.tcp, Example.udp, Example.ping])
    func `random flows leave right checksums, and the way back the same bytes`(_ frame: [UInt8]) throws {
        let seed: UInt64 = 4787
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let address = IPv4Address(rawValue: .random(in: 0 ... .max, using: &random))
            let port = UInt16.random(in: 0 ... .max, using: &random)
            let away = try Self.rewritten(frame) { $0.rewriteSource(address, port: port) }
            #expect(try Self.isValid(away), "\(address):\(port), seed \(seed)")
            let there = try Self.rewritten(away) { $0.rewriteDestination(address) }
            #expect(try Self.isValid(there), "\(address):\(port), seed \(seed)")
            let back = try Self.rewritten(there) {
                $0.rewriteDestination(Example.service)
                $0.rewriteSource(Example.client, port: frame == Example.ping ? 0x1234 : 40000)
            }
            #expect(back == frame, "\(address):\(port), seed \(seed)")
        }
    }

    @Test func `a rewrite to a flow sets all of it`() throws {
        let flow = FiveTuple(
            source: IPv4Address(203, 0, 113, 1), destination: IPv4Address(10, 0, 0, 1), sourcePort: 1024,
            destinationPort: 8080, protocol: .tcp)
        let frame = try Self.rewritten(Example.tcp) {
            $0.rewrite(to: flow)
            #expect($0.fiveTuple == flow)
        }
        #expect(Array(frame[26..<38]) == hex("cb 00 71 01 0a 00 00 01 04 00 1f 90"))
    }

    @Test func `an absent UDP checksum stays absent, a wrong one stays wrong`() throws {
        let absent = try Self.rewritten(Example.udp.replacing(40, with: 0, 0)) { $0.rewriteSource(.loopback, port: 9) }
        #expect(Array(absent[40...41]) == [0, 0])
        let wrong = try Self.rewritten(Example.udp.replacing(41, with: 0)) { $0.rewriteSource(.loopback, port: 9) }
        #expect(try !Self.isValid(wrong))
    }

    @Test func `a later fragment changes its addresses and nothing behind its header`() throws {
        let fragment = `Parsing a frame`.frame(Example.udp, 6, 0, 1)
        let frame = try Self.rewritten(fragment) { $0.rewriteSource(.loopback, port: 9) }
        #expect(frame[34...] == fragment[34...] && Array(frame[26..<30]) == [127, 0, 0, 1])
    }

    @Test func `the identifier of a query is its port`() throws {
        let frame = try Self.rewritten(Example.ping) { $0.rewriteDestination(.loopback, port: 77) }
        #expect(Array(frame[38..<40]) == [0, 77])
        #expect(try Self.isValid(frame))
    }

    @Test func `the time to live ends at one`() throws {
        var frame = Example.udp
        for expected in (1..<64).reversed() {
            frame = try Self.rewritten(frame) { #expect($0.decrementTimeToLive()) }
            #expect(Int(frame[22]) == expected)
        }
        let same = try Self.rewritten(frame) { #expect(!$0.decrementTimeToLive()) }
        #expect(same == frame)
    }

    @Test func `MAC addresses change alone`() throws {
        let frame = try Self.rewritten(Example.udp) {
            $0.setMACs(destination: .broadcast, source: .virtualRouter(ipv4: 1))
            #expect($0.destinationMAC == .broadcast && $0.sourceMAC == .virtualRouter(ipv4: 1))
            $0.destinationMAC = .zero
        }
        #expect(
            Array(frame.prefix(12)) == hex("00 00 00 00 00 00 00 00 5e 00 01 01") && frame[12...] == Example.udp[12...])
    }

    @Test func `the largest segment is lowered, never raised`() throws {
        let frame = try Self.rewritten(Example.tcp) { #expect($0.clampMaximumSegmentSize(to: 1436)) }
        #expect(Array(frame[54..<58]) == hex("02 04 05 9c"))
        #expect(try Self.isValid(frame))
        let same = try Self.rewritten(frame) { #expect(!$0.clampMaximumSegmentSize(to: 1460)) }
        #expect(same == frame)
    }

    @Test func `an option at an odd byte is lowered too`() throws {
        // The same SYN with its options shifted by one: NOP, MSS 1460, window scale 7.
        let odd = Array(Example.tcp.prefix(54)) + hex("01 02 04 05 b4 03 03 07")
        var sum = Checksum()
        let zeroed = odd.replacing(50, with: 0, 0)
        sum.addPseudoHeader(source: Example.client, destination: Example.service, protocol: .tcp, length: 28)
        withGuarded(zeroed[34...]) { sum.add($0) }
        let signed = zeroed.replacing(50, with: UInt8(sum.value >> 8), UInt8(sum.value & 0xff))
        #expect(try Self.isValid(signed))
        let frame = try Self.rewritten(signed) { #expect($0.clampMaximumSegmentSize(to: 1400)) }
        #expect(Array(frame[54..<62]) == hex("01 02 04 05 78 03 03 07"))
        #expect(try Self.isValid(frame))
    }

    @Test func `an error's quote is translated with every checksum`() throws {
        let flow = FiveTuple(
            source: IPv4Address(203, 0, 113, 1), destination: IPv4Address(10, 0, 0, 1), sourcePort: 1024,
            destinationPort: 8080, protocol: .udp)
        let frame = try Self.rewritten(Example.unreachable) {
            #expect($0.quoted?.fiveTuple.description == "udp 192.0.2.10:40000 > 198.51.100.100:53")
            $0.rewriteQuote(to: flow)
            #expect($0.quoted?.fiveTuple == flow)
        }
        #expect(try Self.isValid(frame), "the ICMP checksum")
        // The quote is the whole datagram here: as a frame of its own it must be right.
        #expect(try Self.isValid(Array(Example.udp.prefix(14)) + frame[42...]), "the quoted checksums")
    }

    @Test(arguments: [Example.tcp, Example.ping])
    func `quotes of every protocol are translated`(_ about: [UInt8]) throws {
        let memory = GuardedMemory()
        let packet = try #require(PacketView(memory.place(about)))
        for quote in [ICMPQuote.minimal, .generous] {
            let error = try #require(
                dirty(600) {
                    FrameBuilder.icmpError(
                        .timeExceeded, about: packet, quote: quote, from: Example.service, mac: Example.serviceMAC,
                        into: $0)
                })
            var flow = packet.fiveTuple
            flow.source = IPv4Address(203, 0, 113, 1)
            flow.sourcePort = 99
            if packet.ipProtocol == .icmp { flow.destinationPort = 99 }
            let frame = try Self.rewritten(error) {
                $0.rewriteQuote(to: flow)
                #expect($0.quoted?.fiveTuple == flow)
            }
            #expect(try Self.isValid(frame), "\(quote)")
            if quote == .generous { #expect(try Self.isValid(Array(about.prefix(14)) + frame[42...])) }
        }
        withExtendedLifetime(memory) {}
    }
}
