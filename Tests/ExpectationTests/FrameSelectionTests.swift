import Evidence
import Expectation
import LabTime
import Measurement
import Testing
import Wire

struct FrameSelectionTests {
    private static let failover = Anchor(event: "failover")

    @Test func `every over no frame fails and shows the nearest frame outside the window`() throws {
        var scene = Scene()
        for seconds in [0.2, 0.98, 0.5] { scene.answer(at: seconds, to: Scene.macA) }
        let result = scene.evaluate(.every([.toward(Scene.macA)]), match: "tcp", after: Self.failover)
        #expect(result.verdict == .fail)
        #expect(result.seen == "no such frame; the nearest, #2, passed 20 ms before the window begins")
        #expect(result.nearest?.number == 2)
        #expect(result.nearest?.moment?.description == "0.020 s before failover")
        #expect(result.wiresharkFilter == "tcp", "a window with nothing in it would show nothing")
    }

    @Test func `every over an empty capture is inconclusive`() {
        let result = Scene().evaluate(.every([]))
        #expect(result.verdict == .inconclusive)
        #expect(result.seen == "no such frame; but captures/lb.inside.pcap has no frames")
    }

    @Test func `an empty capture cannot prove that nothing passed`() {
        #expect(Scene().evaluate(.none([])).verdict == .inconclusive)
        #expect(Scene().evaluate(.count(.init(.equal, 0), [])).verdict == .inconclusive)
    }

    @Test func `a window is half open and starts at its anchor`() {
        var scene = Scene()
        for seconds in [0.999, 1, 1.199, 1.2, 1.3] { scene.answer(at: seconds, to: Scene.macA) }
        func count(_ after: Anchor? = nil, _ before: Anchor? = nil, within: Duration? = nil) -> [Int] {
            let result = scene.evaluate(.count(.init(.greater, 99), []), after: after, before: before, within: within)
            return result.frames.map(\.number)
        }
        #expect(count(Self.failover, within: .milliseconds(200)) == [2, 3])
        #expect(count(nil, Self.failover) == [1])
        #expect(count(nil, Anchor(event: "failover", offset: .milliseconds(200)), within: .milliseconds(1)) == [3])
        #expect(count(Anchor(event: "failover", offset: .milliseconds(200))) == [4, 5])
        #expect(count(Self.failover, Anchor(event: "failover", offset: .milliseconds(10)), within: .seconds(1)) == [2])
    }

    @Test func `an event that never happened fails what is anchored to it, and the others are named`() {
        var scene = Scene()
        scene.answer(at: 1.1, to: Scene.macA)
        for requirement in [FrameExpectation.Requirement.none([]), .every([]), .count(.init(.less, 9), [])] {
            for result in [
                scene.evaluate(requirement, after: Anchor(event: "fw-b.aktive")),
                scene.evaluate(requirement, before: Anchor(event: "fw-b.aktive")),
            ] {
                #expect(result.verdict == .fail)
                #expect(
                    result.seen
                        == "event fw-b.aktive never happened (these did: fw-a.active, failover, fw-b.active)")
            }
        }
    }

    @Test func `the first of several events of one name is the anchor`() {
        var scene = Scene()
        scene.events.append(LabEvent(name: "failover", time: Scene.at(3), kind: "switchover", node: "fw-a"))
        scene.answer(at: 2, to: Scene.macA)
        #expect(scene.evaluate(.some([]), after: Self.failover).verdict == .pass)
    }

    @Test func `a window that ends before it begins, or has no beginning, decides nothing`() {
        var scene = Scene()
        scene.answer(at: 1.1, to: Scene.macA)
        let empty = scene.evaluate(.none([]), after: Self.failover, before: Anchor(event: "fw-a.active"))
        #expect(empty.verdict == .inconclusive)
        #expect(empty.seen == "the window after failover and before fw-a.active is empty: it ends before it begins")
        #expect(scene.evaluate(.none([]), within: .seconds(1)).verdict == .inconclusive)
    }

    @Test func `an interface without a capture decides nothing`() {
        let result = Scene().evaluate(.none([]), on: "outside")
        #expect(result.verdict == .inconclusive)
        #expect(result.seen == "nothing was captured on lb.outside (captures: lb.inside, client.outside)")
    }

    @Test func `a capture that cannot be read decides nothing`() {
        var scene = Scene()
        scene.failure = .init(description: "captures/lb.inside.pcap ends within frame 7")
        for requirement in [FrameExpectation.Requirement.none([]), .every([]), .some([]), .sequence([[]])] {
            let result = scene.evaluate(requirement)
            #expect(result.verdict == .inconclusive)
            #expect(result.seen == "the evidence could not be read: captures/lb.inside.pcap ends within frame 7")
        }
    }

    @Test func `a check of an unknown field or value decides nothing`() {
        var scene = Scene()
        scene.answer(at: 1.1, to: Scene.macA)
        #expect(scene.evaluate(.none([.equals("ip.sauce", "1")])).verdict == .inconclusive)
        #expect(scene.evaluate(.none([.equals("eth.dst", "fw-a.mac")])).verdict == .inconclusive)
        #expect(scene.evaluate(.none([.init(field: "ip.ttl", condition: .isOneOf([]))])).verdict == .inconclusive)
        #expect(scene.evaluate(.sequence([])).verdict == .inconclusive)
    }

    // MARK: Flows

    private static func twoPrograms() -> Scene {
        var scene = Scene()
        scene.traffic = [
            TrafficResult(program: Scene.program("existing"), flows: [Scene.flow(40000)], late: 0),
            TrafficResult(program: Scene.program("new", .tcpConnect), flows: [Scene.flow(50000)], late: 0),
        ]
        scene.request(at: 1.1, from: Scene.macA, port: 40000)
        scene.answer(at: 1.2, to: Scene.macA, port: 40000)
        scene.request(at: 1.3, from: Scene.macB, port: 50000)
        scene.answer(at: 1.4, to: Scene.macB, port: 50000)
        return scene
    }

    private static func selected(
        _ scene: Scene, _ flows: String, _ direction: FrameExpectation.Direction? = nil
    ) -> [Int] {
        scene.evaluate(.count(.init(.greater, 99), []), of: flows, direction).frames.map(\.number)
    }

    @Test func `flows and directions select by the client's address and port`() {
        let scene = Self.twoPrograms()
        #expect(Self.selected(scene, "existing") == [1, 2])
        #expect(Self.selected(scene, "existing", .toServer) == [1])
        #expect(Self.selected(scene, "existing", .toClient) == [2])
        #expect(Self.selected(scene, "new", .toClient) == [4])
    }

    @Test func `a packet in a tunnel, of either family, is of the flow of the packet within`() {
        for proto in [4, 41, 47] as [UInt8] {
            var scene = Self.twoPrograms()
            let inner = FrameBytes.ipv4(from: Scene.client, to: Scene.server, proto: 6, FrameBytes.tcp(40000, 80))
            let header: [UInt8] = proto == 47 ? [0, 0, 8, 0] : []
            scene.add(
                at: 1.5,
                FrameBytes.ethernet(
                    to: Scene.balancer, from: Scene.macA,
                    FrameBytes.ipv4(from: "203.0.113.1", to: "203.0.113.2", proto: proto, header + inner)))
            #expect(Self.selected(scene, "existing", .toServer) == [1, 5])
        }
    }

    @Test func `a UDP datagram with a TCP flow's port is not of that flow`() {
        var scene = Self.twoPrograms()
        scene.add(
            at: 1.5,
            FrameBytes.ethernet(
                to: Scene.balancer, from: Scene.macA,
                FrameBytes.ipv4(
                    from: Scene.client, to: Scene.server, proto: 17, FrameBytes.udp(40000, 80, payload: 4))))
        #expect(Self.selected(scene, "existing") == [1, 2])
        scene.traffic[0].program.options = UDPTraffic()
        #expect(Self.selected(scene, "existing") == [5])
    }

    @Test func `a port that one program had after another belongs to each in its time`() {
        var scene = Self.twoPrograms()
        scene.traffic[1].flows = [Scene.flow(40000, start: 2)]
        scene.request(at: 2.1, from: Scene.macB, port: 40000)
        #expect(Self.selected(scene, "existing") == [1, 2])
        #expect(Self.selected(scene, "new") == [5])
    }

    @Test func `where no frame of the flows is in the window, the nearest is of the flow, then of its other direction`()
    {
        var scene = Self.twoPrograms()
        scene.request(at: 2.5, from: Scene.macB, port: 40000)
        let late = scene.evaluate(
            .every([]), of: "existing", .toClient, after: Anchor(event: "failover", offset: .seconds(1)))
        #expect(late.seen == "no such frame; the nearest, #2, passed 800 ms before the window begins")
        scene.inside.removeAll { $0.number == 2 || $0.number == 1 }
        let other = scene.evaluate(
            .every([]), of: "existing", .toClient, after: Anchor(event: "failover", offset: .seconds(1)))
        #expect(other.seen == "no such frame; the nearest, #5, went in the other direction")
        scene.inside.removeAll { $0.number == 5 }
        let foreign = scene.evaluate(.every([]), of: "existing", after: Self.failover)
        #expect(
            foreign.seen
                == "no such frame; the nearest, #3, belongs to another flow; behind NAT the addresses of a flow differ: use 'match' there"
        )
        #expect(foreign.verdict == .fail)
    }

    @Test func `traffic that left no result or opened no flow decides nothing about its frames`() {
        var scene = Self.twoPrograms()
        #expect(scene.evaluate(.none([]), of: "background").verdict == .inconclusive)
        scene.traffic[0].flows = []
        let result = scene.evaluate(.none([]), of: "existing")
        #expect(result.verdict == .inconclusive)
        #expect(result.seen == "traffic existing opened no flow")
    }

    @Test func `a direction without traffic decides nothing`() {
        #expect(Self.twoPrograms().evaluate(.none([]), of: nil, .toClient).verdict == .inconclusive)
    }

    @Test func `the filter names the flows by their client ends, and many only by their client`() {
        var scene = Self.twoPrograms()
        #expect(
            scene.evaluate(.some([]), of: "existing", .toClient).wiresharkFilter
                == "ip.dst == 192.0.2.10 && tcp.dstport in {40000}")
        #expect(
            scene.evaluate(.some([]), of: "existing").wiresharkFilter
                == "ip.addr == 192.0.2.10 && tcp.port in {40000}")
        scene.traffic[0].flows = (0..<17).map { Scene.flow(40000 + $0) }
        #expect(scene.evaluate(.some([]), of: "existing").wiresharkFilter == "tcp && ip.addr == 192.0.2.10")
    }
}
