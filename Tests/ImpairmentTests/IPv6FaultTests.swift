import LabEvents
import Testing
import Wire

@testable import Impairment

private let client = IPv6Address("2001:db8:1::10")!
private let server = IPv6Address("2001:db8:2::11")!

/// A segment of one connection, or of another by its port; from the server where `isBack`.
private func segment(_ flags: TCPFlags, port: UInt16 = 40000, payload: [UInt8] = [], isBack: Bool = false) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xa5, count: 200)
    let header = TCPHeader(
        sourcePort: isBack ? 7 : port, destinationPort: isBack ? port : 7, sequence: 100, acknowledgement: 1,
        flags: flags,
        window: 1000)
    let packet = IPv6Header(
        source: isBack ? server : client, destination: isBack ? client : server, nextHeader: .tcp)
    let length = bytes.withUnsafeMutableBytes { buffer in
        payload.withUnsafeBytes {
            FrameBuilder.tcp(
                header, in: packet, from: MACAddress(2, 0, 0, 0, 0, 1), to: MACAddress(2, 0, 0, 0, 0, 2), payload: $0,
                into: buffer)
        }
    }
    return Array(bytes.prefix(length!))
}

@Suite struct `A fault over IPv6` {
    @Test func `selects segments by class, as over IPv4`() throws {
        let frames: [(SegmentClass, [UInt8])] = [
            (.syn, segment(.syn)), (.synAck, segment([.syn, .ack], isBack: true)), (.fin, segment([.fin, .ack])),
            (.rst, segment(.rst)), (.data, segment([.ack, .psh], payload: [1])), (.ack, segment(.ack)),
        ]
        for (kind, selected) in frames {
            let cable = try TestCable(.drop, FrameSelection(segment: kind))
            for (_, frame) in frames { cable.arrive(frame, at: 1) }
            #expect(cable.left.map(\.bytes) == frames.map(\.1).filter { $0 != selected }, "\(kind)")
        }
    }

    @Test func `counts each flow by itself, both directions as one`() throws {
        let selection = FrameSelection(segment: .data, occurrence: .nth(1), countsEachFlow: true)
        let cable = try TestCable(.drop, selection)
        let (a, b) = (segment(.ack, payload: [1]), segment(.ack, port: 40001, payload: [1]))
        let back = segment(.ack, payload: [2], isBack: true)
        cable.arrive([a, b, a, b, back], at: 1)
        #expect(cable.left.map(\.bytes) == [a, b, back])
    }

    @Test(arguments: [Corruption.Checksums.wrong, .fixed])
    func `flips a bit, and mends the checksum where it is to`(checksums: Corruption.Checksums) throws {
        let cable = try TestCable(.corrupt(Corruption(part: .payload, byte: 0, bit: 3, checksums: checksums)))
        cable.arrive(segment(.ack, payload: [0, 1]), at: 1)
        var bytes = try #require(cable.left.first?.bytes)
        #expect(bytes[74] == 8)
        #expect(bytes.withUnsafeMutableBytes { IPv6PacketView($0)?.isTransportChecksumValid } == (checksums == .fixed))
    }

    @Test func `reports it with the terms of the family`() throws {
        let cable = try TestCable(.drop)
        cable.arrive(segment(.syn), at: 1)
        let words = try #require(cable.events.first?.details[.frame])
        #expect(words.hasPrefix("tcp [2001:db8:1::10]:40000 > [2001:db8:2::11]:7 SYN"), "\(words)")
    }
}
