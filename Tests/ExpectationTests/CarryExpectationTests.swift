import Evidence
import Expectation
import LabTime
import Testing
import Wire

/// `carried-over`: what was seen at one place before is seen at another after.
struct CarryExpectationTests {
    /// A datagram with a probe, on both captures of the scene: `lb.inside` is the first place, `client.outside` the second.
    private static func datagram(_ flow: UInt32, from source: String = "203.0.113.1", port: UInt16, ttl: UInt8 = 64)
        -> [UInt8]
    {
        let record =
            FrameBytes.big(0x464c_5031 as UInt32) + FrameBytes.big(32 as UInt32) + FrameBytes.big(7 as UInt32)
            + FrameBytes.big(flow) + [0, 0, 0, 0, 0, 0, 0, 9] + [UInt8](repeating: 0, count: 8)
        let udp = FrameBytes.udp(port, 7, payload: 32).prefix(8) + record
        return FrameBytes.ethernet(
            to: Scene.macA, from: Scene.balancer,
            FrameBytes.ipv4(from: source, to: Scene.server, proto: 17, ttl: ttl, Array(udp)))
    }

    /// Flows with their ports, each seen a little before the failover and, those of `again`, a little after.
    private static func scene(first: [(UInt32, UInt16)], again: [(UInt32, UInt16)]) -> Scene {
        var scene = Scene()
        scene.inside = first.enumerated().map {
            CapturedFrame(
                capture: Scene.insidePath, number: $0 + 1, time: Scene.at(0.5), bytes: datagram($1.0, port: $1.1))
        }
        scene.outside = again.enumerated().map {
            CapturedFrame(
                capture: Scene.outsidePath, number: $0 + 1, time: Scene.at(1.5),
                bytes: datagram($1.0, port: $1.1, ttl: 63))
        }
        return scene
    }

    private static func expectation(
        _ fields: [String] = [], count: Comparison<Int>? = nil, missing: Comparison<Int> = .init(.equal, 0),
        before: Double = 0, after: Double = 0
    ) -> ExpectationSpecification.Subject {
        .carriedOver(
            CarryExpectation(
                fields: fields,
                first: .init(
                    node: "lb", interface: "inside",
                    before: Anchor(event: "failover", offset: .milliseconds(Int64(before * 1000)))),
                then: .init(
                    node: "client", interface: "outside",
                    after: Anchor(event: "failover", offset: .milliseconds(Int64(after * 1000)))), count: count,
                missing: missing))
    }

    private static let three: [(UInt32, UInt16)] = [(1, 1001), (2, 1002), (3, 1003)]

    @Test func `all flows that come again pass, by their five-tuples or by chosen fields`() {
        let scene = Self.scene(first: Self.three + [(1, 1001)], again: Self.three.reversed())
        for fields in [[], ["udp.srcport"], ["probe.flow", "ip.src", "udp.srcport"]] {
            let result = scene.evaluate(Self.expectation(fields, count: .init(.equal, 3)))
            #expect(result.verdict == .pass, "\(fields): \(result.seen)")
            #expect(
                result.seen == "3 flows in 4 frames; 3 of them again, 0 missing, 0 others in 3 frames")
            #expect(result.frames.map(\.capture) == [Scene.insidePath, Scene.outsidePath])
        }
    }

    @Test func `a flow that does not come again fails, and its last frame is shown`() {
        let scene = Self.scene(first: Self.three, again: [(1, 1001), (3, 1003)])
        let result = scene.evaluate(Self.expectation())
        #expect(result.verdict == .fail)
        #expect(result.seen == "3 flows in 3 frames; 2 of them again, 1 missing, 0 others in 2 frames")
        #expect(result.frames.map(\.number) == [2] && result.frames.map(\.capture) == [Scene.insidePath])
        #expect(scene.evaluate(Self.expectation(missing: .init(.equal, 1))).verdict == .pass)
        #expect(scene.evaluate(Self.expectation(missing: .init(.greater, 1))).verdict == .fail)
    }

    @Test func `a flow that comes again as another one is missing and an other`() {
        // Flows 1 and 2 have changed their ports: each five-tuple is there again, but not that of the same flow.
        let swapped = Self.scene(first: Self.three, again: [(1, 1002), (2, 1001), (3, 1003)])
        #expect(swapped.evaluate(Self.expectation()).verdict == .pass)
        let result = swapped.evaluate(Self.expectation(["probe.flow", "udp.srcport"]))
        #expect(result.verdict == .fail)
        #expect(result.seen == "3 flows in 3 frames; 1 of them again, 2 missing, 2 others in 3 frames")
    }

    @Test func `the number of flows is checked`() {
        let scene = Self.scene(first: Self.three, again: Self.three)
        #expect(scene.evaluate(Self.expectation(count: .init(.equal, 4))).verdict == .fail)
        #expect(scene.evaluate(Self.expectation(count: .init(.greaterOrEqual, 3))).verdict == .pass)
    }

    @Test func `windows bound both places`() {
        let scene = Self.scene(first: Self.three, again: Self.three)
        // The first frames lie half a second before the failover, the others half a second after it.
        #expect(scene.evaluate(Self.expectation(before: -0.6)).verdict == .inconclusive)
        #expect(scene.evaluate(Self.expectation(after: 0.6)).verdict == .fail)
        #expect(scene.evaluate(Self.expectation(count: .init(.equal, 3), before: -0.6)).verdict == .fail)
    }

    @Test func `no flow at all proves nothing`() {
        #expect(Self.scene(first: [], again: Self.three).evaluate(Self.expectation()).verdict == .inconclusive)
        // Frames without the field are of no flow.
        let scene = Self.scene(first: Self.three, again: Self.three)
        #expect(scene.evaluate(Self.expectation(["tcp.srcport"])).verdict == .inconclusive)
    }

    @Test func `frames that the first capture lost leave it open, whatever came again`() {
        var scene = Self.scene(first: Self.three, again: Self.three)
        scene.dropped = 2
        scene.losses = [CaptureLoss(from: Scene.at(0.2), to: Scene.at(0.3), frames: 2)]
        let result = scene.evaluate(Self.expectation())
        #expect(result.verdict == .inconclusive && result.seen.contains("lacks 2 frames"))
        // Lost behind the window: nothing that is asked about.
        scene.losses = [CaptureLoss(from: Scene.at(1.2), to: Scene.at(1.3), frames: 2)]
        #expect(scene.evaluate(Self.expectation()).verdict == .pass)
    }

    @Test func `a place that was not captured, and an event that never was, decide nothing good`() {
        let scene = Self.scene(first: Self.three, again: Self.three)
        let elsewhere = CarryExpectation(
            first: .init(node: "lb", interface: "nowhere"), then: .init(node: "client", interface: "outside"))
        #expect(scene.evaluate(.carriedOver(elsewhere)).verdict == .inconclusive)
        let never = CarryExpectation(
            first: .init(node: "lb", interface: "inside", before: Anchor(event: "never")),
            then: .init(node: "client", interface: "outside"))
        #expect(scene.evaluate(.carriedOver(never)).verdict == .fail)
    }

    @Test func `the fields of a probe are read from UDP and TCP payload, and are not there in anything else`() {
        var scene = Self.scene(first: [(5, 1000)], again: [])
        func holds(_ checks: [FieldCheck]) -> Bool { scene.evaluate(.every(checks)).verdict == .pass }
        #expect(holds([.equals("probe.program", "7"), .equals("probe.flow", "5"), .equals("probe.sequence", "9")]))
        #expect(!holds([.equals("probe.flow", "6")]))
        let record = Array(scene.inside[0].bytes.suffix(32))
        let head = FrameBytes.tcp(1000, 7, flags: 0x18)
        func segment(_ payload: [UInt8]) -> [UInt8] {
            FrameBytes.ethernet(
                to: Scene.macA, from: Scene.balancer,
                FrameBytes.ipv4(from: Scene.client, to: Scene.server, proto: 6, head + payload))
        }
        scene.inside[0].bytes = segment(record)
        #expect(holds([.equals("probe.flow", "5"), .equals("probe.sequence", "9")]))
        for length in 0..<24 {
            scene.inside[0].bytes = segment(Array(record.prefix(length)))
            #expect(!holds([.equals("probe.program", "7")]), "\(length) bytes")
        }
        scene.inside[0].bytes = segment([0x46] + record.dropFirst().map { $0 ^ 1 })
        #expect(!holds([.equals("probe.program", "7")]))
        #expect(
            scene.evaluate(.every([.equals("probe.flow", "258")])).wiresharkFilter?
                .contains("(udp.payload[12:4] == 00:00:01:02 || tcp.payload[12:4] == 00:00:01:02)") == true)
    }
}
