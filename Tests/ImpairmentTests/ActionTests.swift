import LabEvents
import LabTime
import Testing
import Wire

@testable import Impairment

@Suite struct `A cable with faults` {
    private static let first = FrameSelection(segment: .data, occurrence: .nth(1))
    private static func data(_ numbers: ClosedRange<UInt8>) -> [[UInt8]] { numbers.map { CableFrame.data($0) } }

    @Test func `passes everything to the other port without faults, but the markers of captures`() throws {
        let cable = try TestCable([])
        cable.arrive([CableFrame.data(1), CableFrame.arp, CableFrame.marker, [1, 2, 3]], at: 5)
        cable.arrive(CableFrame.data(2), at: 6, port: 1)
        #expect(cable.left.map(\.bytes) == [CableFrame.data(1), CableFrame.arp, [1, 2, 3], CableFrame.data(2)])
        #expect(cable.left.map(\.port) == [1, 1, 1, 0])
        #expect(cable.events.isEmpty)
    }

    @Test func `delays a frame, and nothing behind it`() throws {
        let cable = try TestCable(.delay(Delay(.fixed(.milliseconds(5)))), Self.first)
        cable.arrive(Self.data(1...3), at: 100)
        cable.advance(to: 10_000)
        #expect(cable.payloads == [2, 3, 1])
        #expect(cable.left.map(\.at) == [100, 100, 5100])
        #expect(cable.events.map { $0.details[.by] } == ["5 ms"])
    }

    @Test func `keeps the order of frames that it delays, where it is asked to`() throws {
        let seed: UInt64 = 4
        for keepsOrder in [false, true] {
            let rule = FaultRule(
                name: "jitter",
                action: .delay(Delay(.uniform(from: .zero, to: .milliseconds(50)), keepsOrder: keepsOrder)), seed: seed)
            let cable = try TestCable([rule])
            for number in UInt8(1)...50 { cable.arrive(CableFrame.data(number), at: Int64(number) * 1000) }
            cable.advance(to: 1_000_000)
            #expect(cable.payloads.count == 50)
            #expect((cable.payloads == Array(1...50)) == keepsOrder, "seed \(seed)")
        }
    }

    @Test func `delays no frame by more than it may`() throws {
        let seed: UInt64 = 7
        let tail = DelayDistribution.pareto(minimum: .milliseconds(1), shape: 0.5)
        let rule = FaultRule(name: "tail", action: .delay(Delay(tail, atMost: .milliseconds(20))), seed: seed)
        let cable = try TestCable([rule])
        for number in UInt8(1)...200 { cable.arrive(CableFrame.data(number), at: Int64(number) * 100_000) }
        cable.advance(to: 100_000_000)
        let delays = zip(cable.left.map(\.at), 1...200).map { $0 - Int64($1) * 100_000 }
        #expect(delays.count == 200 && delays.allSatisfy { (1000...20_000).contains($0) }, "seed \(seed)")
        // √(1/20) of them would have been later.
        #expect(delays.count { $0 == 20_000 } > 20, "seed \(seed)")
    }

    @Test func `reports whose frame it was`() throws {
        let cable = try TestCable(.drop, Self.first)
        cable.arrive(CableFrame.data(1), at: 1)
        let details = try #require(cable.events.first?.details)
        #expect(details[.source] != nil && details[.destination] != nil)
        #expect(
            details[.frame]?.contains(
                "\(details[.source]!):\(details[.sourcePort]!) > \(details[.destination]!):\(details[.destinationPort]!)"
            ) == true)
    }

    @Test func `duplicates a frame at once and later`() throws {
        let cable = try TestCable(.duplicate(Duplication(copies: 2, gap: .milliseconds(1))), Self.first)
        cable.arrive(Self.data(1...2), at: 10)
        cable.advance(to: 10_000)
        #expect(cable.left.map(\.at) == [10, 10, 1010, 2010])
        #expect(cable.payloads == [1, 2, 1, 1])
        let atOnce = try TestCable(.duplicate(Duplication()), Self.first)
        atOnce.arrive(Self.data(1...2), at: 10)
        #expect(atOnce.payloads == [1, 1, 2])
    }

    @Test func `lets later frames overtake one`() throws {
        let cable = try TestCable(.reorder(Reordering(behind: 2, atMost: .milliseconds(100))), Self.first)
        cable.arrive(CableFrame.data(1), at: 0)
        cable.arrive(CableFrame.data(9, fromServer: true), at: 1, port: 1)
        cable.arrive(CableFrame.data(2), at: 2)
        cable.arrive(Self.data(3...4), at: 3)
        #expect(cable.payloads == [9, 2, 3, 1, 4])
        let alone = try TestCable(.reorder(Reordering(behind: 2, atMost: .milliseconds(100))), Self.first)
        alone.arrive(CableFrame.data(1), at: 0)
        alone.advance(to: 1_000_000)
        #expect(alone.left.map(\.at) == [100_000])
        #expect(alone.kinds == [.reordered, .released])
    }

    @Test func `limits a rate with a burst and a queue`() throws {
        // 58 bytes a frame: 464 µs at 1 Mbit/s. Two at once, two that wait, the rest is too much.
        let limit = RateLimit(bitsPerSecond: 1_000_000, burst: 116, queue: 116)
        let cable = try TestCable(.limit(limit))
        cable.arrive(Self.data(1...6), at: 0)
        cable.arrive(CableFrame.data(9, fromServer: true), at: 0, port: 1)
        cable.advance(to: 5000)
        #expect(cable.payloads == [1, 2, 9, 3, 4])
        #expect(cable.left.map(\.at) == [0, 0, 0, 464, 928])
        #expect(cable.kinds == [.limited, .limited, .dropped, .dropped])
        cable.arrive(CableFrame.data(7), at: 5000)
        #expect(cable.left.last?.at == 5000)
    }

    @Test(arguments: [Corruption.Part.frame, .network, .transport, .payload], [Corruption.Checksums.wrong, .fixed])
    func `flips one bit`(part: Corruption.Part, checksums: Corruption.Checksums) throws {
        // A byte of each part that no length or type depends on.
        let byte = [Corruption.Part.frame: 8, .network: 8, .transport: 14, .payload: 2][part]!
        let start = [Corruption.Part.frame: 0, .network: 14, .transport: 34, .payload: 54][part]!
        let cable = try TestCable(
            .corrupt(Corruption(part: part, byte: byte, bit: 3, checksums: checksums)), Self.first)
        let original = CableFrame.data(1)
        cable.arrive(original, at: 1)
        let bytes = try #require(cable.left.first?.bytes)
        #expect(bytes[start + byte] == original[start + byte] ^ 8)
        var (damaged, repaired) = (bytes, original)
        for index in [24, 25, 50, 51, start + byte] { (damaged[index], repaired[index]) = (0, 0) }
        #expect(damaged == repaired, "only the checksums differ beside the bit")
        var copy = bytes
        let isRight = copy.withUnsafeMutableBytes { PacketView($0)?.isTransportChecksumValid ?? false }
        #expect(isRight == (checksums == .fixed || part == .frame))
        #expect(cable.events.first?.details[.byte] == "\(start + byte)")
    }

    @Test func `passes a frame without the byte that it is to damage`() throws {
        let cable = try TestCable(.corrupt(Corruption(part: .payload)))
        cable.arrive([CableFrame.syn, CableFrame.arp], at: 1)
        #expect(cable.left.map(\.bytes) == [CableFrame.syn, CableFrame.arp])
        #expect(cable.events.isEmpty)
    }

    @Test func `adds up what several faults do, and ends at a drop`() throws {
        let cable = try TestCable([
            FaultRule(name: "a", action: .delay(Delay(.fixed(.milliseconds(1))))),
            FaultRule(name: "b", action: .delay(Delay(.fixed(.milliseconds(2))))),
            FaultRule(name: "c", selection: FrameSelection(occurrence: .nth(2)), action: .drop),
        ])
        cable.arrive(Self.data(1...3), at: 0)
        cable.advance(to: 10_000)
        #expect(cable.payloads == [1, 3])
        #expect(cable.left.map(\.at) == [3000, 3000])
    }

    @Test func `reports some actions and then counts`() throws {
        let cable = try TestCable([FaultRule(name: "fault", action: .drop)], limits: .init(events: 3))
        for number in UInt8(1)...9 { cable.arrive(CableFrame.data(number), at: 1) }
        #expect(cable.kinds == [.dropped, .dropped, .dropped, .quiet])
        #expect(cable.tally.dropped == 9)
    }

    @Test func `describes the frame`() throws {
        let cable = try TestCable(.drop)
        cable.arrive([CableFrame.fin, CableFrame.arp], at: 7)
        #expect(
            cable.events == [
                FaultEvent(
                    rule: "fault", kind: .dropped, at: Instant(nanoseconds: 7000),
                    details: [
                        .frame: "tcp 192.0.2.10:40000 > 192.0.2.20:7000 FIN,ACK sequence 200 payload 0",
                        .from: "client", .source: "192.0.2.10", .sourcePort: "40000", .destination: "192.0.2.20",
                        .destinationPort: "7000",
                    ]),
                FaultEvent(
                    rule: "fault", kind: .dropped, at: Instant(nanoseconds: 7000),
                    details: [.frame: "ARP", .from: "client"]),
            ])
    }
}
