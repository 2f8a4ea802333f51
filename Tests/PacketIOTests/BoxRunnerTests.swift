import Appliances
import EventLoop
import LabEvents
import LabTime
import PacketIO
import Wire
import Testing

/// A box that runs, and what it told.
private final class Bench {
    var network: TestNetwork
    let loop: EventLoop
    let left: TestPort
    let right: TestPort
    let runner: BoxRunner<PortForwarder>
    private let told: Told

    private final class Told {
        var events: [ApplianceEvent] = []
        var onEvents: ([ApplianceEvent]) -> Void = { _ in }
    }

    var events: [ApplianceEvent] { told.events }

    init(
        _ box: consuming PortForwarder = PortForwarder(), mtu: Int = 1500,
        ports: [PortInterfaces] = TestNetwork.ports, options: PacketSocketOptions = PacketSocketOptions()
    ) throws {
        network = try TestNetwork(mtu: mtu)
        loop = try EventLoop()
        left = try network.port("left")
        right = try network.port("right")
        let told = Told()
        self.told = told
        runner = try BoxRunner(box, ports: ports, options: options, on: loop) {
            told.events += $0
            told.onEvents($0)
        }
    }

    func onEvents(_ body: @escaping ([ApplianceEvent]) -> Void) { told.onEvents = body }

    /// Starts the box and forgets its first frame.
    func start() throws {
        try runner.start()
        _ = receive(1, at: left)
    }

    /// Turns the loop until so many frames have reached a port. Gives up after ten seconds without any, with what
    /// there is: a test that lost a frame fails, it does not hang.
    func receive(_ count: Int, at port: TestPort) -> [[UInt8]] {
        var frames = port.receiveAll()
        var idle = 0
        while frames.count < count, idle < 5000 {
            loop.turn(block: false)
            let more = port.receiveAll()
            frames += more
            idle = more.isEmpty ? idle + 1 : 0
            if more.isEmpty { port.wait(milliseconds: 2) }
        }
        return frames
    }

    func counter(_ name: String) -> UInt64? { runner.counters.first { $0.name == name }?.value }
}

@Suite(.enabled(if: NetworkNamespaces.areAvailable, Comment(rawValue: NetworkNamespaces.absence)))
struct BoxRunnerTests {
    @Test(arguments: [14, 60, 64, 65, 590, 1513, 1514])
    func `forwards frames byte for byte in both directions`(length: Int) async throws {
        try await onOwnThread {
            let bench = try Bench()
            try bench.start()
            let there = length < 18 ? Array(PortFrame.make(length: 18).prefix(length)) : PortFrame.make(length: length)
            bench.left.send(there)
            #expect(bench.receive(1, at: bench.right) == [there])
            let back = Array(there[6..<12] + there[0..<6] + there[12...])
            bench.right.send(back)
            #expect(bench.receive(1, at: bench.left) == [back])
        }
    }

    @Test func `sends what the appliance rewrote in place`() async throws {
        try await onOwnThread {
            let bench = try Bench(PortForwarder(mark: 0x5a))
            try bench.start()
            let sent = PortFrame.make(length: 100)
            bench.left.send(sent)
            #expect(bench.receive(1, at: bench.right) == [sent.dropLast() + [0x5a]])
        }
    }

    @Test func `hands frames of the box itself to its host side and takes its answers`() async throws {
        try await onOwnThread {
            let bench = try Bench()
            let kernel = try bench.network.port("kernel1")
            try bench.start()
            let question = PortFrame.make(length: 80, to: PortForwarder.ownAddress)
            bench.right.send(question)
            #expect(bench.receive(1, at: kernel) == [question])
            let answer = PortFrame.make(length: 81, from: PortForwarder.ownAddress)
            kernel.send(answer)
            #expect(bench.receive(1, at: bench.right) == [answer])
        }
    }

    @Test func `hears frames to any address, virtual MACs included`() async throws {
        try await onOwnThread {
            let bench = try Bench()
            try bench.start()
            let addresses: [[UInt8]] = [
                [0x00, 0x00, 0x5e, 0x00, 0x01, 0x0a], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                [0x01, 0x00, 0x5e, 0x00, 0x00, 0x12], [0x02, 0x12, 0x34, 0x56, 0x78, 0x9a],
            ]
            let frames = addresses.map { PortFrame.make(length: 60, to: $0) }
            for frame in frames { bench.left.send(frame) }
            #expect(bench.receive(frames.count, at: bench.right) == frames)
        }
    }

    private static let controlChannel = ControlChannelFrames.datagrams(port: 0, to: 3780...3781)

    /// The peer's frames come behind a flood that has filled the ring.
    @Test(arguments: [controlChannel, .packets(.vrrp)])
    func `a pair's conversation is heard, and first, however many other frames wait`(kind: ControlChannelFrames)
        async throws
    {
        try await onOwnThread {
            let bench = try Bench(PortForwarder(controlChannel: kind), options: PacketSocketOptions(slots: 32))
            try bench.start()
            let flood = (0..<200).map { PortFrame.make(length: 60, number: UInt32($0)) }
            for frame in flood { bench.left.send(frame) }
            let said =
                switch kind {
                case .datagrams:
                    [
                        PortFrame.ipv4(17, to: 3780, number: 1), PortFrame.ipv4(17, to: 3781, number: 2, length: 1514),
                    ]
                case .packets: [PortFrame.ipv4(112, number: 1), PortFrame.ipv4(112, number: 2, length: 1514)]
                }
            for frame in said { bench.left.send(frame) }
            #expect(bench.receive(34, at: bench.right) == said + flood.prefix(32))
            #expect(bench.counter("io.drop.ring-full") == 168)
            #expect(bench.counter("io.drop.conversation-full") == 0)
            #expect(bench.counter("io.received") == 34)
            // There is room again.
            bench.left.send(flood[199])
            bench.left.send(said[0])
            #expect(bench.receive(2, at: bench.right).count == 2)
        }
    }

    /// Each frame is in one of the two queues, so none arrives twice or not at all.
    @Test(arguments: [controlChannel, .packets(.vrrp)])
    func `what is not of the conversation shares the ring, and each frame arrives once`(kind: ControlChannelFrames)
        async throws
    {
        try await onOwnThread {
            let bench = try Bench(PortForwarder(controlChannel: kind))
            try bench.start()
            let frames = [
                PortFrame.ipv4(17, to: 3779, number: 1), PortFrame.ipv4(17, to: 3780, number: 2),
                PortFrame.ipv4(17, to: 3781, number: 3), PortFrame.ipv4(17, to: 3782, number: 4),
                PortFrame.ipv4(6, to: 3780, number: 5), PortFrame.ipv4(17, to: 3780, number: 6, header: 0x46),
                PortFrame.ipv4(112, number: 7), PortFrame.ipv4(112, number: 8, header: 0x46),
                PortFrame.make(length: 60), Array(PortFrame.ipv4(112, number: 9).prefix(37)),
                Array(PortFrame.ipv4(17, to: 3780, number: 10).prefix(20)),
            ]
            for frame in frames {
                bench.left.send(frame)
                bench.right.send(frame)
            }
            #expect(Set(bench.receive(frames.count, at: bench.right)) == Set(frames))
            #expect(Set(bench.receive(frames.count, at: bench.left)) == Set(frames))
            #expect(bench.counter("io.received") == UInt64(2 * frames.count))
        }
    }

    @Test func `the conversation is heard again after its link was down`() async throws {
        try await onOwnThread {
            let bench = try Bench(PortForwarder(controlChannel: Self.controlChannel))
            try bench.start()
            let said = PortFrame.ipv4(17, to: 3780, number: 1)
            bench.left.send(said)
            #expect(bench.receive(1, at: bench.right) == [said])
            try bench.network.set("inside", up: false)
            bench.loop.turn(block: false)
            try bench.network.set("inside", up: true)
            bench.runner.carrierChanged(port: "inside", isUp: true)
            bench.left.send(said)
            #expect(bench.receive(1, at: bench.right) == [said])
        }
    }

    @Test func `loses nothing and keeps the order of 100000 frames each way`() async throws {
        try await onOwnThread {
            let bench = try Bench()
            try bench.start()
            var expected: UInt32 = 0
            var isInOrder = true
            let burst: UInt32 = 250
            while expected < 100_000 {
                for number in expected..<(expected + burst) {
                    let frame = PortFrame.make(length: 60 + Int(number % 61), number: number)
                    bench.left.send(frame)
                    bench.right.send(frame)
                }
                for port in [bench.right, bench.left] {
                    let numbers = bench.receive(Int(burst), at: port).map(PortFrame.number)
                    isInOrder = isInOrder && numbers == Array(expected..<(expected + burst))
                }
                expected += burst
            }
            #expect(isInOrder)
            #expect(bench.counter("io.received") == 200_000)
            #expect(bench.counter("io.drop.ring-full") == 0)
            #expect(bench.counter("drop.queue-full") == 0)
        }
    }

    @Test func `counts what does not fit the receive ring and goes on`() async throws {
        try await onOwnThread {
            let bench = try Bench(options: PacketSocketOptions(slots: 32))
            try bench.start()
            for number in 0..<100 { bench.left.send(PortFrame.make(length: 60, number: UInt32(number))) }
            // The first ones are kept: the ring never overwrites.
            let kept = bench.receive(32, at: bench.right).map(PortFrame.number)
            #expect(kept == Array(0..<32))
            #expect(bench.counter("io.received") == 32)
            #expect(bench.counter("io.drop.ring-full") == 68)
            let next = PortFrame.make(length: 60, number: 100)
            bench.left.send(next)
            #expect(bench.receive(1, at: bench.right) == [next])
        }
    }

    @Test func `drops and counts a frame that is longer than a slot`() async throws {
        try await onOwnThread {
            let bench = try Bench(mtu: 9000, options: PacketSocketOptions(longestFrame: 1514))
            try bench.start()
            let short = PortFrame.make(length: 60)
            bench.left.send(PortFrame.make(length: 3000))
            bench.left.send(short)
            #expect(bench.receive(1, at: bench.right) == [short])
            #expect(bench.counter("io.drop.too-long") == 1)
        }
    }

    @Test(arguments: [9000, 9216]) func `carries frames as long as the MTU of its links allows`(mtu: Int) async throws {
        try await onOwnThread {
            let bench = try Bench(mtu: mtu)
            try bench.start()
            let frames = [mtu + 14, 60, 1515, mtu + 14].map { PortFrame.make(length: $0) }
            for frame in frames { bench.left.send(frame) }
            #expect(bench.receive(frames.count, at: bench.right) == frames)
            #expect(bench.counter("io.drop.too-long") == 0)
        }
    }

    @Test func `an 802.1Q tag is in the frame that the box sees, and in the one that leaves`() async throws {
        try await onOwnThread {
            let bench = try Bench()
            let capture = try TestPort("outside", seesOutgoing: true)
            try bench.start()
            var tagged = PortFrame.make(length: 64)
            tagged.insert(contentsOf: [0x81, 0x00, 0x20, 0x2a], at: 12)
            var double = PortFrame.make(length: 64)
            double.insert(contentsOf: [0x88, 0xa8, 0x00, 0x07, 0x81, 0x00, 0x00, 0x08], at: 12)
            let plain = PortFrame.make(length: 64)
            // Longer than an untagged frame may be.
            var long = PortFrame.make(length: 1514)
            long.insert(contentsOf: [0x81, 0x00, 0x0f, 0xff], at: 12)
            for frame in [tagged, plain, double, long] { bench.left.send(frame) }
            // The far port finds the tags beside the frames; at the box's own end they are still in them.
            #expect(bench.receive(4, at: bench.right).count == 4)
            #expect(capture.receiveAll() == [tagged, plain, double, long])
        }
    }

    @Test func `counts frames for the host side of a port that has none, and for interfaces that are no port`()
        async throws
    {
        try await onOwnThread {
            let bench = try Bench(ports: ["inside", "outside"].map { PortInterfaces(wire: $0, host: nil) })
            let kernel = try bench.network.port("kernel0")
            try bench.start()
            let frame = PortFrame.make(length: 60)
            bench.left.send(PortFrame.make(length: 60, to: PortForwarder.ownAddress))
            kernel.send(frame)
            bench.left.send(frame)
            #expect(bench.receive(1, at: bench.right) == [frame])
            #expect(bench.counter("io.drop.no-link") == 1)
            #expect(bench.counter("io.foreign") == 1)
        }
    }

    @Test func `counts frames for an interface that is down and works again when it is up`() async throws {
        try await onOwnThread {
            let bench = try Bench()
            try bench.start()
            let frame = PortFrame.make(length: 60)
            try bench.network.set("outside", up: false)
            bench.left.send(frame)
            while bench.counter("io.received") == 0 { bench.loop.turn(block: true) }
            #expect(bench.counter("io.drop.link-down") == 1)
            bench.right.send(frame)
            try bench.network.set("outside", up: true)
            bench.runner.carrierChanged(port: "outside", isUp: true)
            bench.left.send(frame)
            #expect(bench.receive(1, at: bench.right) == [frame])
            bench.right.send(frame)
            #expect(bench.receive(1, at: bench.left) == [frame])
            #expect(bench.counter("io.received") == 3)
        }
    }

    @Test func `its own frames are seen by a capture on its interface and not by itself`() async throws {
        try await onOwnThread {
            let bench = try Bench()
            let capture = try TestPort("outside", seesOutgoing: true)
            try bench.start()
            let frame = PortFrame.make(length: 60)
            bench.left.send(frame)
            #expect(bench.receive(1, at: bench.right) == [frame])
            #expect(capture.receiveAll() == [frame])
            bench.loop.turn(block: false)
            #expect(bench.counter("io.received") == 1)
            #expect(bench.counter("io.foreign") == 0)
        }
    }

    @Test func `its first frame and event come with start, and frames that came before are handled after it`()
        async throws
    {
        try await onOwnThread {
            let bench = try Bench()
            let early = PortFrame.make(length: 60, number: 7)
            bench.left.send(early)
            bench.loop.turn(block: false)
            #expect(bench.right.receive() == nil)
            try bench.runner.start()
            #expect(bench.receive(1, at: bench.left).map(PortFrame.number) == [1000])
            #expect(bench.events.map(\.kind) == [.ready])
            #expect(bench.receive(1, at: bench.right) == [early])
        }
    }

    @Test(arguments: 0..<20)
    func `its first frame is not lost on links that just came up`(repetition: Int) async throws {
        try await onOwnThread {
            let bench = try Bench()
            try bench.runner.start()
            #expect(bench.receive(1, at: bench.left).map(PortFrame.number) == [1000])
        }
    }

    @Test func `timers fire in order, none before it is due`() async throws {
        try await onOwnThread {
            let bench = try Bench(PortForwarder(ticks: 20))
            try bench.start()
            let frames = bench.receive(20, at: bench.left)
            #expect(frames.map(PortFrame.number) == (0..<20).reversed())
            let ticks = bench.events.filter { $0.kind == PortForwarder.tick }
            #expect(ticks.count == 20)
            for tick in ticks { #expect(tick.at.nanoseconds >= Int64(tick.details[.by]!)!) }
        }
    }

    @Test func `an event is told after its frames were sent`() async throws {
        try await onOwnThread {
            let bench = try Bench(PortForwarder(tellsBatches: true))
            try bench.start()
            var toldAt: Timestamp?
            bench.onEvents { events in
                if events.contains(where: { $0.kind == PortForwarder.batch }) { toldAt = .now() }
            }
            bench.left.send(PortFrame.make(length: 60))
            #expect(bench.receive(1, at: bench.right).count == 1)
            let sentAt = try #require(bench.right.stamp())
            #expect(sentAt <= (try #require(toldAt)))
        }
    }

    @Test func `a command's frames have left when it is answered`() async throws {
        try await onOwnThread {
            let bench = try Bench()
            #expect(bench.runner.perform(.switchover) == .refused(reason: "the box does not run"))
            try bench.start()
            #expect(bench.runner.perform(.switchover) == .done)
            let answeredAt = Timestamp.now()
            #expect(bench.receive(1, at: bench.left).map(PortFrame.number) == [2000])
            #expect(try #require(bench.left.stamp()) <= answeredAt)
        }
    }

    @Test func `frames that came before a command are handled before it`() async throws {
        try await onOwnThread {
            let bench = try Bench()
            try bench.start()
            // More than a batch, and the loop has not turned since.
            let frames = (0..<200).map { PortFrame.make(length: 60, number: $0) }
            for frame in frames { bench.left.send(frame) }
            #expect(bench.runner.perform(.switchover) == .done)
            #expect(bench.right.receiveAll() == frames)
            let lastForwarded = try #require(bench.right.stamp())
            #expect(bench.left.receiveAll().map(PortFrame.number) == [2000])
            #expect(lastForwarded <= (try #require(bench.left.stamp())))
        }
    }

    @Test func `whoever hears of an event may command the box at once`() async throws {
        try await onOwnThread {
            let bench = try Bench(PortForwarder(tellsBatches: true))
            try bench.start()
            var replies: [ApplianceReply] = []
            bench.onEvents { [unowned bench] events in
                if events.contains(where: { $0.kind == PortForwarder.batch }) {
                    replies.append(bench.runner.perform(.switchover))
                }
            }
            let frame = PortFrame.make(length: 60)
            bench.left.send(frame)
            #expect(bench.receive(1, at: bench.right) == [frame])
            #expect(replies == [.done])
            #expect(bench.receive(1, at: bench.left).map(PortFrame.number) == [2000])
        }
    }

    @Test func `events are told in order, whatever a command within one of them has to wait for`() async throws {
        try await onOwnThread {
            let bench = try Bench(PortForwarder(tellsBatches: true))
            try bench.start()
            var order: [EventKind] = []
            bench.onEvents { [unowned bench] events in
                if events.contains(where: { $0.kind == PortForwarder.carrier }) {
                    bench.left.send(PortFrame.make(length: 60))
                    #expect(bench.runner.perform(.switchover) == .done)
                }
                order += events.map(\.kind)
            }
            bench.runner.carrierChanged(port: "outside", isUp: false)
            #expect(bench.receive(1, at: bench.right).count == 1)
            #expect(order == [PortForwarder.carrier, PortForwarder.batch])
        }
    }

    @Test func `a change of carrier is known before the frames that wait`() async throws {
        try await onOwnThread {
            let bench = try Bench(PortForwarder(tellsBatches: true))
            try bench.start()
            bench.left.send(PortFrame.make(length: 60))
            bench.runner.carrierChanged(port: "outside", isUp: false)
            #expect(bench.receive(1, at: bench.right).count == 1)
            #expect(bench.events.map(\.kind).suffix(2) == [PortForwarder.carrier, PortForwarder.batch])
        }
    }

    @Test func `a change of carrier reaches the appliance by the port's name`() async throws {
        try await onOwnThread {
            let bench = try Bench()
            try bench.start()
            bench.runner.carrierChanged(port: "outside", isUp: false)
            #expect(bench.events.last?.kind == PortForwarder.carrier)
            #expect(bench.events.last?.details == [.interface: "outside", .state: "down"])
        }
    }

    @Test func `a stopped box leaves its ports alone`() async throws {
        try await onOwnThread {
            let bench = try Bench(PortForwarder(ticks: 5))
            try bench.start()
            bench.runner.stop()
            bench.left.send(PortFrame.make(length: 60))
            for _ in 0..<3 { bench.loop.turn(block: false) }
            #expect(bench.right.receive() == nil)
            #expect(bench.runner.perform(.switchover) == .refused(reason: "the box does not run"))
        }
    }

    @Test func `an interface that is missing is named`() async throws {
        try await onOwnThread {
            // Its interfaces have other names.
            _ = try TestNetwork()
            let loop = try EventLoop()
            #expect(throws: PacketSocketError.noInterface("upside")) {
                _ = try BoxRunner(PortForwarder(), ports: [PortInterfaces(wire: "upside", host: nil)], on: loop) { _ in
                }
            }
        }
    }
}
