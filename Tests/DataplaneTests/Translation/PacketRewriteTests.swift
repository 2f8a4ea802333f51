import Dataplane
import TestSupport
import Testing
import Wire

@Suite struct PacketRewriteTests {
    private func randomTuple(_ protocol: IPProtocol, _ random: inout SeededGenerator) -> FiveTuple {
        FiveTuple(
            source: IPv4Address(rawValue: UInt32.random(in: .min ... .max, using: &random)),
            destination: IPv4Address(rawValue: UInt32.random(in: .min ... .max, using: &random)),
            sourcePort: UInt16.random(in: .min ... .max, using: &random),
            destinationPort: UInt16.random(in: .min ... .max, using: &random), protocol: `protocol`)
    }

    private func frame(_ tuple: FiveTuple, payload: [UInt8]) -> [UInt8] {
        var buffer = [UInt8](repeating: 0xa5, count: 1600)
        let header = IPv4Header(
            source: tuple.source, destination: tuple.destination, protocol: tuple.protocol, timeToLive: 64)
        let length = buffer.withUnsafeMutableBytes { buffer in
            payload.withUnsafeBytes { payload in
                tuple.protocol == .tcp
                    ? FrameBuilder.tcp(
                        TCPHeader(
                            sourcePort: tuple.sourcePort, destinationPort: tuple.destinationPort, sequence: 1,
                            acknowledgement: 2, flags: .ack, window: 3),
                        in: header, from: .zero, to: .zero, payload: payload, into: buffer)
                    : FrameBuilder.udp(
                        UDPHeader(sourcePort: tuple.sourcePort, destinationPort: tuple.destinationPort), in: header,
                        from: .zero, to: .zero, payload: payload, into: buffer)
            }
        }
        return Array(buffer.prefix(length!))
    }

    @Test(arguments: [IPProtocol.tcp, .udp], [41, 42] as [UInt64])
    func `any rewrite leaves valid checksums, the new five-tuple and a time to live one lower`(
        protocol: IPProtocol, seed: UInt64
    ) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let old = randomTuple(`protocol`, &random)
            let new = randomTuple(`protocol`, &random)
            let size = Int.random(in: 0..<100, using: &random)
            var bytes = frame(old, payload: (0..<size).map { _ in UInt8.random(in: .min ... .max, using: &random) })
            try bytes.withUnsafeMutableBytes { bytes in
                let before = try #require(PacketView(bytes))
                let action = FlowAction(
                    rewrite: PacketRewrite(from: old, to: new), hop: NextHop(port: 0, address: .any))
                let frame = Frame(base: bytes.baseAddress!, length: Int32(bytes.count), port: 0, side: .wire)
                action.apply(to: frame, before.layout)
                // Parsing verifies the header's checksum.
                let after = try #require(PacketView(bytes), "seed \(seed), \(old) to \(new)")
                #expect(after.fiveTuple == new, "seed \(seed)")
                #expect(after.isTransportChecksumValid, "seed \(seed), \(old) to \(new)")
                #expect(after.timeToLive == 63)
            }
        }
    }

    @Test func `a datagram without checksum stays without`() throws {
        var random = SeededGenerator(seed: 43)
        let old = randomTuple(.udp, &random)
        let new = randomTuple(.udp, &random)
        var bytes = frame(old, payload: [1, 2, 3])
        bytes[40] = 0
        bytes[41] = 0
        try bytes.withUnsafeMutableBytes { bytes in
            let view = try #require(PacketView(bytes))
            PacketRewrite(from: old, to: new).apply(
                header: bytes.baseAddress! + 14, transport: bytes.baseAddress! + 34)
            #expect(view.destination == old.destination)
            #expect(PacketView(bytes)?.fiveTuple == new)
        }
        #expect(bytes[40] == 0 && bytes[41] == 0)
    }

    @Test func `a wrong checksum stays wrong`() {
        var random = SeededGenerator(seed: 44)
        let old = randomTuple(.tcp, &random)
        var bytes = frame(old, payload: [1, 2, 3])
        bytes[bytes.count - 1] ^= 0xff
        bytes.withUnsafeMutableBytes { bytes in
            PacketRewrite(from: old, to: randomTuple(.tcp, &random)).apply(
                header: bytes.baseAddress! + 14, transport: bytes.baseAddress! + 34)
            #expect(PacketView(bytes)?.isTransportChecksumValid == false)
        }
    }
}
