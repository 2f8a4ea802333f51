import LabEvents
import Testing
import Wire

@testable import Impairment

@Suite struct `A fault selects` {
    private static let frames: [(SegmentClass, [UInt8])] = [
        (.syn, CableFrame.syn), (.synAck, CableFrame.synAck), (.fin, CableFrame.fin), (.rst, CableFrame.rst),
        (.data, CableFrame.data(1)), (.ack, CableFrame.ack),
    ]

    @Test(arguments: SegmentClass.allCases)
    func `segments of its class alone`(kind: SegmentClass) throws {
        let cable = try TestCable(.drop, FrameSelection(segment: kind))
        for (kind, frame) in Self.frames { cable.arrive(frame, at: 1, port: kind == .synAck ? 1 : 0) }
        cable.arrive(CableFrame.arp, at: 1)
        // The last of them once more: its sequence numbers have passed.
        cable.arrive(CableFrame.data(1), at: 2)
        var expected = Self.frames.map(\.1) + [CableFrame.arp, CableFrame.data(1)]
        if kind == .retransmission {
            expected.removeLast()
        } else {
            let selected = Self.frames.first { $0.0 == kind }!.1
            expected.removeAll { $0 == selected }
        }
        #expect(cable.left.map(\.bytes) == expected)
        #expect(
            cable.events.allSatisfy {
                $0.kind == .dropped && $0.rule == "fault"
                    && $0.details[.from] == (kind == .synAck ? "server" : "client")
            })
    }

    @Test(arguments: [
        (Occurrence.all, [] as [UInt8]), (.nth(1), [2, 3, 4, 5, 6]), (.nth(3), [1, 2, 4, 5, 6]),
        (.everyNth(2), [1, 3, 5]),
        (.from(4), [1, 2, 3]),
    ])
    func `by occurrence`(occurrence: Occurrence, passing: [UInt8]) throws {
        for kind in [SegmentClass.data, nil] {
            let cable = try TestCable(.drop, FrameSelection(segment: kind, occurrence: occurrence))
            for number in UInt8(1)...6 { cable.arrive(CableFrame.data(number), at: Int64(number)) }
            #expect(cable.payloads == passing)
        }
    }

    @Test func `occurrences of each flow apart`() throws {
        let cable = try TestCable(.drop, FrameSelection(occurrence: .nth(1), countsEachFlow: true))
        for number in UInt8(1)...3 {
            cable.arrive(CableFrame.data(number, clientPort: 40000), at: 1)
            cable.arrive(CableFrame.data(number + 100, clientPort: 40001), at: 1)
        }
        #expect(cable.payloads == [2, 102, 3, 103])
    }

    @Test func `one direction`() throws {
        let cable = try TestCable(.drop, FrameSelection(direction: .fromFar))
        cable.arrive(CableFrame.data(1), at: 1)
        cable.arrive(CableFrame.data(2, fromServer: true), at: 1, port: 1)
        #expect(cable.left == [TestCable.Left(at: 1, port: 1, bytes: CableFrame.data(1))])
    }

    @Test func `by a packet filter, which somebody else compiles`() throws {
        let cable = try TestCable(.drop, FrameSelection(filter: "port 40001"))
        cable.arrive([CableFrame.data(1), CableFrame.data(2, clientPort: 40001), CableFrame.arp], at: 1)
        #expect(cable.left.map(\.bytes) == [CableFrame.data(1), CableFrame.arp])
        #expect(throws: FaultyCable.FilterRefusal(rule: "fault", reason: "'nonsense' is not a filter")) {
            try TestCable(.drop, FrameSelection(filter: "nonsense"))
        }
    }

    @Test func `frames of flows that another fault acted on`() throws {
        let first = FaultRule(
            name: "first", selection: FrameSelection(segment: .fin), action: .duplicate(Duplication()))
        let second = FaultRule(
            name: "second", selection: FrameSelection(segment: .data, flowOf: "first"), action: .drop)
        let cable = try TestCable([first, second])
        cable.arrive(CableFrame.data(1), at: 1)
        cable.arrive(CableFrame.fin, at: 2)
        cable.arrive(CableFrame.data(2), at: 3)
        cable.arrive(CableFrame.data(3, fromServer: true), at: 3, port: 1)
        cable.arrive(CableFrame.data(4, clientPort: 40001), at: 3)
        #expect(
            cable.left.map(\.bytes) == [
                CableFrame.data(1), CableFrame.fin, CableFrame.fin, CableFrame.data(4, clientPort: 40001),
            ])
    }

    @Test func `so many times and no more, anew after it was armed again`() throws {
        let cable = try TestCable(.drop, FrameSelection(times: 2))
        for number in UInt8(1)...4 { cable.arrive(CableFrame.data(number), at: 1) }
        #expect(cable.payloads == [3, 4])
        #expect(cable.order(.arm("fault"), at: 2) == nil)
        for number in UInt8(5)...7 { cable.arrive(CableFrame.data(number), at: 3) }
        #expect(cable.payloads == [3, 4, 7])
        #expect(cable.order(.disarm("fault"), at: 4) == nil)
        #expect(cable.order(.arm("other"), at: 4) == "this cable has no rule 'other'; it has fault")
    }

    @Test func `nothing while it is not armed`() throws {
        let cable = try TestCable([FaultRule(name: "later", action: .drop, isArmed: false)])
        cable.arrive(CableFrame.data(1), at: 1)
        #expect(cable.order(.arm("later"), at: 2) == nil)
        cable.arrive(CableFrame.data(2), at: 3)
        #expect(cable.order(.disarm("later"), at: 4) == nil)
        cable.arrive(CableFrame.data(3), at: 5)
        #expect(cable.payloads == [1, 3])
        #expect(cable.kinds == [.armed, .dropped, .disarmed])
    }

    @Test func `retransmissions of a connection, not the segments of the next one on the same ports`() throws {
        let cable = try TestCable(.drop, FrameSelection(segment: .retransmission))
        cable.arrive(CableFrame.tcp(.syn, sequence: 10), at: 1)
        cable.arrive(CableFrame.tcp(.syn, sequence: 10), at: 2)
        cable.arrive(CableFrame.tcp([.ack], sequence: 11, payload: [1, 2, 3]), at: 3)
        // One old byte and one new: not a pure repetition.
        cable.arrive(CableFrame.tcp([.ack], sequence: 13, payload: [3, 4]), at: 4)
        cable.arrive(CableFrame.tcp([.ack], sequence: 11, payload: [1, 2]), at: 5)
        // The ports again, with lower numbers.
        cable.arrive(CableFrame.tcp(.syn, sequence: 5), at: 6)
        cable.arrive(CableFrame.tcp([.ack], sequence: 6, payload: [9]), at: 7)
        cable.arrive(CableFrame.tcp([.fin, .ack], sequence: 7), at: 8)
        cable.arrive(CableFrame.tcp([.fin, .ack], sequence: 7), at: 9)
        #expect(cable.left.map(\.at) == [1, 3, 4, 6, 7, 8])
    }

    @Test func `with sequence numbers that pass zero`() throws {
        let cable = try TestCable(.drop, FrameSelection(segment: .retransmission))
        cable.arrive(CableFrame.tcp([.ack], sequence: 0xffff_fffe, payload: [1, 2, 3]), at: 1)
        cable.arrive(CableFrame.tcp([.ack], sequence: 1, payload: [4]), at: 2)
        cable.arrive(CableFrame.tcp([.ack], sequence: 0xffff_fffe, payload: [1, 2, 3]), at: 3)
        #expect(cable.left.map(\.at) == [1, 2])
    }
}
