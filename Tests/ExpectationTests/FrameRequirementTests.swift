import Evidence
@testable import Expectation
import Testing
import Wire

/// Each requirement with evidence that bears it out and evidence that does not.
struct FrameRequirementTests {
    /// Answers to firewall A, then, after the failover at 1 s, to the MACs given.
    private static func scene(after macs: [MACChoice]) -> Scene {
        var scene = Scene()
        scene.answer(at: 0.8, to: Scene.macA)
        scene.answer(at: 0.9, to: Scene.macA)
        for (index, mac) in macs.enumerated() { scene.answer(at: 1.1 + Double(index) / 10, to: mac.address) }
        return scene
    }

    enum MACChoice {
        case a, b
        var address: MACAddress { self == .a ? Scene.macA : Scene.macB }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var requirement: FrameExpectation.Requirement
        var bearsOut: [MACChoice]
        var breaks: [MACChoice]
        var testDescription: String { "\(requirement)" }
    }

    private static let cases: [Case] = [
        Case(requirement: .every([.toward(Scene.macB)]), bearsOut: [.b, .b, .b], breaks: [.b, .a, .b]),
        Case(requirement: .every([]), bearsOut: [.a], breaks: []),
        Case(requirement: .some([.toward(Scene.macB)]), bearsOut: [.a, .b], breaks: [.a, .a]),
        Case(requirement: .some([]), bearsOut: [.a], breaks: []),
        Case(requirement: .none([.toward(Scene.macA)]), bearsOut: [.b, .b], breaks: [.b, .a]),
        Case(requirement: .none([]), bearsOut: [], breaks: [.b]),
        Case(requirement: .count(.init(.equal, 2), [.toward(Scene.macB)]), bearsOut: [.b, .a, .b], breaks: [.b, .a]),
        Case(requirement: .count(.init(.equal, 2), []), bearsOut: [.b, .a], breaks: [.b, .a, .b]),
        Case(requirement: .count(.init(.less, 2), [.toward(Scene.macA)]), bearsOut: [.b, .a], breaks: [.a, .a]),
        Case(requirement: .count(.init(.lessOrEqual, 1), []), bearsOut: [.b], breaks: [.b, .b]),
        Case(requirement: .count(.init(.greater, 1), []), bearsOut: [.b, .b], breaks: [.b]),
        Case(requirement: .count(.init(.greaterOrEqual, 3), []), bearsOut: [.b, .b, .a], breaks: [.b, .b]),
        Case(requirement: .first([.toward(Scene.macB)]), bearsOut: [.b, .a], breaks: [.a, .b]),
        Case(requirement: .first([]), bearsOut: [.b], breaks: []),
        Case(
            requirement: .sequence([[.toward(Scene.macA)], [.toward(Scene.macB)], []]), bearsOut: [.a, .a, .b, .a],
            breaks: [.b, .a, .b]),
        Case(
            requirement: .every([FieldCheck(field: "eth.dst", condition: .isNot(Scene.macA.description))]),
            bearsOut: [.b], breaks: [.b, .a]),
        Case(
            requirement: .every([
                FieldCheck(
                    field: "eth.dst", condition: .isOneOf([Scene.macB.description, Scene.balancer.description]))
            ]), bearsOut: [.b], breaks: [.a]),
        Case(
            requirement: .every([.equals("tcp.dstport", "40000"), .toward(Scene.macB)]), bearsOut: [.b],
            breaks: [.a]),
    ]

    @Test(arguments: cases)
    func `a requirement passes on what bears it out and fails on what breaks it`(example: Case) {
        let passed = Self.scene(after: example.bearsOut).evaluate(example.requirement, after: Anchor(event: "failover"))
        #expect(passed.verdict == .pass, "\(passed.seen)")
        let failed = Self.scene(after: example.breaks).evaluate(example.requirement, after: Anchor(event: "failover"))
        #expect(failed.verdict == .fail, "\(failed.seen)")
    }

    /// Doubt never becomes a pass; a finding that no lost frame could undo stays what it is.
    @Test(arguments: cases)
    func `lost frames leave every, none, count and first in doubt, and undo nothing that was seen`(example: Case) {
        var scene = Self.scene(after: example.bearsOut)
        scene.dropped = 1
        let borneOut = scene.evaluate(example.requirement, after: Anchor(event: "failover"))
        switch example.requirement {
        case .some, .sequence: #expect(borneOut.verdict == .pass)
        case .every, .none, .count, .first:
            #expect(borneOut.verdict == .inconclusive)
            #expect(borneOut.seen.hasSuffix("; but captures/lb.inside.pcap lacks 1 frame that the kernel dropped"))
        }

        scene = Self.scene(after: example.breaks)
        scene.dropped = 7
        let broken = scene.evaluate(example.requirement, after: Anchor(event: "failover"))
        switch example.requirement {
        case .every where !example.breaks.isEmpty, .none: #expect(broken.verdict == .fail)
        case .count(let comparison, _) where comparison.relation == .less || comparison.relation == .lessOrEqual:
            #expect(broken.verdict == .fail)
        case .count(let comparison, let checks) where comparison.relation == .equal && checks.isEmpty:
            #expect(broken.verdict == .fail, "three are too many for two, whatever else was lost")
        case .every, .some, .count, .first, .sequence: #expect(broken.verdict == .inconclusive)
        }
    }

    @Test func `a failing every shows the first frames that break it, their times and a filter`() throws {
        let result = Self.scene(after: [.b, .a, .b, .a, .a, .a]).evaluate(
            .every([.toward(Scene.macB)]), match: "tcp and src host 198.51.100.100", after: Anchor(event: "failover"))
        #expect(
            result.expected
                == "every frame on lb.inside matching 'tcp and src host 198.51.100.100' after failover has eth.dst = 02:00:00:00:00:0b"
        )
        #expect(result.seen == "4 of 6 frames do not: in #4 eth.dst is 02:00:00:00:00:0a")
        #expect(result.frames.map(\.number) == [4, 6, 7])
        let frame = try #require(result.frames.first)
        #expect(frame.capture == "captures/lb.inside.pcap")
        #expect(frame.time == Scene.at(1.2))
        #expect(frame.moment?.description == "+0.200 s after failover")
        #expect(
            frame.note
                == "02:00:00:00:00:01 → 02:00:00:00:00:0a, 198.51.100.100:80 → 192.0.2.10:40000 TCP PSH-ACK")
        #expect(
            result.wiresharkFilter
                == "(tcp && (ip.src == 198.51.100.100 || arp.src.proto_ipv4 == 198.51.100.100)) && frame.time_epoch >= 1795249801.000000000 && !(eth.dst == 02:00:00:00:00:0b)"
        )
    }

    @Test func `a passing every shows its first and its last frame`() {
        let result = Self.scene(after: [.b, .b, .b]).evaluate(
            .every([.toward(Scene.macB)]), after: Anchor(event: "failover"))
        #expect(result.frames.map(\.number) == [3, 5])
        #expect(result.seen == "all 3 frames do")
    }

    @Test func `a frame that lacks the field passes no check of it`() {
        var scene = Scene()
        scene.add(
            at: 1.1,
            FrameBytes.ethernet(
                to: Scene.macA, from: Scene.balancer, type: 0x0806,
                FrameBytes.arp(
                    1, sender: Scene.balancer, Scene.server, target: MACAddress(packed: 0), Scene.client)))
        for condition in [
            FieldCheck.Condition.equals("1"), .isNot("1"), .isOneOf(["1", "2"]), .compares(.init(.less, 70000)),
        ] {
            let result = scene.evaluate(.every([FieldCheck(field: "tcp.dstport", condition: condition)]))
            #expect(result.verdict == .fail)
            #expect(result.seen == "1 of 1 frame does not: in #1 it has no tcp.dstport")
        }
    }

    @Test func `a some that finds nothing shows the frame on which the most checks hold`() {
        var scene = Self.scene(after: [.a])
        scene.request(at: 1.5, from: Scene.macB)
        let result = scene.evaluate(
            .some([.toward(Scene.macB), .equals("tcp.srcport", "80"), .equals("tcp.flags", "SYN")]),
            after: Anchor(event: "failover"))
        #expect(result.verdict == .fail)
        #expect(result.nearest?.number == 3)
        #expect(
            result.seen
                == "none of 2 frames does; in the closest, #3, eth.dst is 02:00:00:00:00:0a and tcp.flags is PSH-ACK")
    }

    @Test func `a sequence shows the steps that it found and what comes nearest to the missing one`() {
        var scene = Scene()
        scene.request(at: 0.1, from: Scene.macA, flags: 0x02, payload: 0)
        scene.request(at: 0.2, from: Scene.macA, flags: 0x02, payload: 0)
        scene.answer(at: 0.3, to: Scene.macA, flags: 0x12, payload: 0)
        scene.request(at: 0.4, from: Scene.macA, flags: 0x10, payload: 0)
        let handshake: [[FieldCheck]] = [
            [.equals("tcp.flags", "SYN")], [.equals("tcp.flags", "SYN-ACK")], [.equals("tcp.flags", "ACK")],
        ]
        let whole = scene.evaluate(.sequence(handshake))
        #expect(whole.verdict == .pass)
        #expect(whole.seen == "they do: #1, #3, #4")
        #expect(whole.frames.map(\.number) == [1, 3, 4])
        let reset = scene.evaluate(.sequence(handshake.prefix(2) + [[.equals("tcp.flags", "RST")]]))
        #expect(reset.verdict == .fail)
        #expect(reset.seen == "#1, #3, but then no frame with tcp.flags = RST; in the closest, #4, tcp.flags is ACK")
        #expect(reset.frames.map(\.number) == [1, 3])
        #expect(reset.nearest?.number == 4)
        #expect(
            reset.wiresharkFilter?.hasPrefix("((tcp.flags.syn == 1 && tcp.flags.fin == 0") == true)
    }

    @Test func `one frame is one step of a sequence only`() {
        var scene = Scene()
        scene.answer(at: 0.1, to: Scene.macA)
        #expect(scene.evaluate(.sequence([[], []])).verdict == .fail)
        scene.answer(at: 0.2, to: Scene.macA)
        #expect(scene.evaluate(.sequence([[], []])).verdict == .pass)
    }

    @Test func `a filter that Wireshark cannot express becomes the frames' numbers`() {
        let result = Self.scene(after: [.b, .a]).evaluate(
            .every([.toward(Scene.macB)]), match: "ip[8] > 5", after: Anchor(event: "failover"))
        #expect(result.wiresharkFilter == "frame.number in {4}")
    }

    @Test func `the capture filter selects, and the numbers stay those of the file`() {
        var scene = Self.scene(after: [.b, .a, .b])
        scene.filters = ["udp": [3, 5]]
        let result = scene.evaluate(.every([.toward(Scene.macB)]), match: "udp", after: Anchor(event: "failover"))
        #expect(result.verdict == .pass)
        #expect(result.frames.map(\.number) == [3, 5])
    }
}
