import LabEvents
import LabTime
import Testing
import Wire

@testable import Impairment

@Suite struct `A held frame` {
    private static func cable(copy: Bool = false, _ until: ReleaseCondition) throws -> TestCable {
        try TestCable(.hold(Hold(copy: copy, until: until)), FrameSelection(segment: .fin, occurrence: .nth(1)))
    }

    @Test func `leaves right behind the next SYN of its flow, while the original passed`() throws {
        let cable = try Self.cable(copy: true, ReleaseCondition(frame: PassingFrame(segment: .syn, relation: .flow)))
        cable.arrive(CableFrame.fin, at: 1)
        cable.arrive(CableFrame.tcp(.syn, clientPort: 40001), at: 2)
        cable.arrive([CableFrame.data(1), CableFrame.syn, CableFrame.data(2)], at: 3)
        #expect(
            cable.left.map(\.bytes) == [
                CableFrame.fin, CableFrame.tcp(.syn, clientPort: 40001), CableFrame.data(1), CableFrame.syn,
                CableFrame.fin,
                CableFrame.data(2),
            ])
        #expect(cable.kinds == [.held, .released])
        #expect(cable.held == 0)
    }

    @Test func `waits for a frame in either direction, or in one`() throws {
        for (direction, count) in [(nil, 3), (CableDirection.fromFar, 3), (.fromNear, 2)] as [(CableDirection?, Int)] {
            let cable = try Self.cable(ReleaseCondition(frame: PassingFrame(direction: direction, segment: .synAck)))
            cable.arrive(CableFrame.fin, at: 1)
            cable.arrive(CableFrame.data(1), at: 2)
            cable.arrive(CableFrame.synAck, at: 3, port: 1)
            #expect(cable.left.count == count)
        }
    }

    @Test func `waits for the n-th frame that a filter selects`() throws {
        let cable = try Self.cable(ReleaseCondition(frame: PassingFrame(filter: "port 40001", number: 2)))
        cable.arrive([CableFrame.fin, CableFrame.data(1), CableFrame.data(2, clientPort: 40001)], at: 1)
        #expect(cable.left.count == 2)
        cable.arrive(CableFrame.data(3, clientPort: 40001), at: 2)
        #expect(cable.left.count == 4)
    }

    @Test func `knows the port of the client from the SYN, whatever the addresses`() throws {
        // The server's port is the higher one: only the SYN says who is who.
        let cable = try TestCable(
            .hold(Hold(until: ReleaseCondition(frame: PassingFrame(segment: .syn, relation: .clientPort)))),
            FrameSelection(segment: .fin))
        cable.arrive(CableFrame.tcp(.syn, clientPort: 4000, serverPort: 50000), at: 1)
        cable.arrive(
            CableFrame.tcp([.fin, .ack], sequence: 500, clientPort: 4000, serverPort: 50000, fromServer: true), at: 2,
            port: 1)
        cable.arrive(CableFrame.tcp(.syn, clientPort: 4001, serverPort: 50000), at: 3)
        #expect(cable.left.count == 2)
        cable.arrive(CableFrame.tcp(.syn, clientPort: 4000, serverPort: 443), at: 4)
        #expect(cable.left.map(\.port) == [1, 1, 1, 0])
    }

    @Test func `leaves after a time, at an event, by an order, and some time after what it waited for`() throws {
        let time = try Self.cable(ReleaseCondition(time: .milliseconds(2)))
        time.arrive(CableFrame.fin, at: 0)
        time.advance(to: 10_000)
        #expect(time.left.map(\.at) == [2000])

        let event = try Self.cable(ReleaseCondition(event: "failover", wait: .milliseconds(1)))
        event.arrive(CableFrame.fin, at: 0)
        event.order(.event("other"), at: 10)
        event.order(.event("failover"), at: 20)
        event.advance(to: 10_000)
        #expect(event.left.map(\.at) == [1020])

        let order = try Self.cable(ReleaseCondition())
        order.arrive(CableFrame.fin, at: 0)
        order.advance(to: 1_000_000)
        #expect(order.left.isEmpty && order.held == 1)
        order.order(.release("fault"), at: 1_000_001)
        #expect(order.left.map(\.at) == [1_000_001])
    }

    @Test func `leaves once, whatever else would let it go`() throws {
        let cable = try Self.cable(
            ReleaseCondition(frame: PassingFrame(segment: .syn), event: "failover", time: .milliseconds(5)))
        cable.arrive([CableFrame.fin, CableFrame.syn, CableFrame.syn], at: 0)
        cable.order(.event("failover"), at: 1)
        cable.order(.release("fault"), at: 2)
        cable.advance(to: 100_000)
        #expect(cable.left.count == 3)
    }

    @Test func `lets others go when it passes`() throws {
        let cable = try TestCable([
            FaultRule(
                name: "syn", selection: FrameSelection(segment: .syn),
                action: .hold(Hold(until: ReleaseCondition(frame: PassingFrame(segment: .fin))))),
            FaultRule(
                name: "fin", selection: FrameSelection(segment: .fin),
                action: .hold(Hold(until: ReleaseCondition(event: "go")))),
        ])
        cable.arrive([CableFrame.syn, CableFrame.fin], at: 1)
        #expect(cable.left.isEmpty)
        cable.order(.event("go"), at: 2)
        #expect(cable.left.map(\.bytes) == [CableFrame.fin, CableFrame.syn])
    }

    @Test func `is dropped or not copied where there is no room, and that is reported`() throws {
        for copy in [false, true] {
            let rule = FaultRule(name: "fault", action: .hold(Hold(copy: copy)))
            let cable = try TestCable([rule], limits: .init(frames: 2))
            for number in UInt8(1)...3 { cable.arrive(CableFrame.data(number), at: 1) }
            #expect(cable.held == 2)
            #expect(cable.payloads == (copy ? [1, 2, 3] : []))
            #expect(cable.kinds == [.held, .held, .overflow])
            #expect(cable.tally.overflows == 1)
            #expect(cable.tally.dropped == (copy ? 0 : 1))
            cable.order(.release("fault"), at: 2)
            #expect(cable.payloads == (copy ? [1, 2, 3, 1, 2] : [1, 2]))
        }
    }

    @Test func `counts by its bytes, too`() throws {
        let cable = try TestCable([FaultRule(name: "fault", action: .hold(Hold()))], limits: .init(bytes: 120))
        for number in UInt8(1)...3 { cable.arrive(CableFrame.data(number), at: 1) }
        #expect(cable.held == 2)
    }

    @Test func `is let go when its fault is replaced`() throws {
        let cable = try TestCable([FaultRule(name: "fault", action: .hold(Hold()))])
        cable.arrive(CableFrame.data(1), at: 1)
        #expect(cable.order(.install(FaultRule(name: "fault", action: .drop)), at: 2) == nil)
        cable.arrive(CableFrame.data(2), at: 3)
        #expect(cable.payloads == [1])
        #expect(
            cable.order(.install(FaultRule(name: "x", selection: FrameSelection(filter: "?"), action: .drop)), at: 4)
                == "'?' is not a filter")
    }
}
