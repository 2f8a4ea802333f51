import Appliances
import Configuration
import Dataplane
import LabEvents
import LabTime
import MallocCounter
import Testing
import VirtualNetwork
import Wire

@Suite struct SwitchTests {
    private static let start = Instant(nanoseconds: 1_000_000_000)
    private static let a = MACAddress(2, 0, 0, 0, 0, 0xa)
    private static let b = MACAddress(2, 0, 0, 0, 0, 0xb)
    private static let c = MACAddress(2, 0, 0, 0, 0, 0xc)

    private static func configuration(ports: Int = 4, mtus: [Int] = [], tableSize: Int = 8) -> SwitchConfiguration {
        SwitchConfiguration(
            name: "sw",
            ports: (0..<ports).map {
                PortConfiguration(
                    name: "p\($0)", mac: MACAddress(2, 0, 0, 0, 1, UInt8($0)), address: nil,
                    mtu: $0 < mtus.count ? mtus[$0] : 1500)
            }, ageing: .seconds(10), tableSize: tableSize)
    }

    private static func frame(from source: MACAddress, to destination: MACAddress, length: Int = 60) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: length)
        bytes.withUnsafeMutableBytes {
            $0.baseAddress!.write(destination, at: 0)
            $0.baseAddress!.write(source, at: 6)
            $0.baseAddress!.write(UInt16(0x88b6), at: 12)
        }
        return bytes
    }

    /// The ports by which a frame leaves, unchanged.
    private func ports(
        _ box: inout Switch, _ frame: [UInt8], on port: PortIndex, at now: Instant = start
    ) -> [PortIndex] {
        var output = FrameQueue()
        var bytes = frame
        return bytes.withUnsafeMutableBytes { buffer in
            var one = Frame(base: buffer.baseAddress!, length: Int32(buffer.count), port: port, side: .wire)
            withUnsafePointer(to: &one) {
                box.process(UnsafeBufferPointer(start: $0, count: 1), at: now, into: &output)
            }
            return (0..<output.count).map {
                #expect(Array(output[$0].bytes) == frame && output[$0].side == .wire)
                return output[$0].port
            }
        }
    }

    private func counter(_ box: borrowing Switch, _ counter: Counter) -> UInt64? {
        box.counters.first { $0.name == counter.name() }?.value
    }

    @Test func `what is unknown or a group is flooded, what is known goes to its port alone`() throws {
        var box = try Switch(Self.configuration())
        #expect(ports(&box, Self.frame(from: Self.a, to: Self.b), on: 0) == [1, 2, 3])
        #expect(ports(&box, Self.frame(from: Self.b, to: Self.a), on: 2) == [0])
        #expect(ports(&box, Self.frame(from: Self.a, to: Self.b), on: 0) == [2])
        #expect(ports(&box, Self.frame(from: Self.a, to: .broadcast), on: 0) == [1, 2, 3])
        #expect(ports(&box, Self.frame(from: Self.a, to: MACAddress(1, 0, 0x5e, 0, 0, 18)), on: 0) == [1, 2, 3])
        #expect(counter(box, .macLearned) == 2 && counter(box, .switchFlooded) == 3 && counter(box, .forwarded) == 11)
    }

    @Test func `a frame never leaves by the port that it came from, and reserved groups go nowhere`() throws {
        var box = try Switch(Self.configuration())
        _ = ports(&box, Self.frame(from: Self.a, to: .broadcast), on: 0)
        #expect(ports(&box, Self.frame(from: Self.b, to: Self.a), on: 0) == [])
        #expect(ports(&box, Self.frame(from: Self.a, to: MACAddress(1, 0x80, 0xc2, 0, 0, 0)), on: 0) == [])
        #expect(ports(&box, Self.frame(from: Self.a, to: MACAddress(1, 0x80, 0xc2, 0, 0, 0x0e)), on: 0) == [])
        #expect(ports(&box, Self.frame(from: Self.a, to: MACAddress(1, 0x80, 0xc2, 0, 0, 0x10)), on: 0) == [1, 2, 3])
        #expect(counter(box, .switchFiltered) == 3)
    }

    @Test func `an address that appears behind another port moves at once, and is reported`() throws {
        var box = try Switch(Self.configuration())
        _ = ports(&box, Self.frame(from: Self.a, to: .broadcast), on: 0)
        _ = box.takeEvents()
        _ = ports(&box, Self.frame(from: Self.a, to: .broadcast), on: 3)
        #expect(ports(&box, Self.frame(from: Self.b, to: Self.a), on: 1) == [3])
        let events = box.takeEvents()
        #expect(events.map(\.kind) == [.macMoved])
        #expect(events.first?.details == [.address: Self.a.description, .from: "p0", .to: "p3"])
        #expect(counter(box, .macMoved) == 1)
    }

    @Test func `an address that aged out is flooded again`() throws {
        var box = try Switch(Self.configuration())
        var output = FrameQueue()
        _ = ports(&box, Self.frame(from: Self.a, to: .broadcast), on: 0)
        let deadline = box.deadline
        let end = try #require(deadline)
        #expect(end == Self.start + .seconds(10))
        let before = end - .nanoseconds(1)
        #expect(ports(&box, Self.frame(from: Self.b, to: Self.a), on: 1, at: before) == [0])
        box.advance(to: end, into: &output)
        #expect(counter(box, .macAged) == 1 && counter(box, .macAddresses) == 1)
        #expect(ports(&box, Self.frame(from: Self.b, to: Self.a), on: 1, at: end) == [0, 2, 3])
    }

    @Test func `with a full table the rest is flooded for ever`() throws {
        var box = try Switch(Self.configuration(tableSize: 1))
        _ = ports(&box, Self.frame(from: Self.a, to: .broadcast), on: 0)
        for _ in 0..<3 {
            #expect(ports(&box, Self.frame(from: Self.b, to: Self.a), on: 1) == [0])
            #expect(ports(&box, Self.frame(from: Self.a, to: Self.b), on: 0) == [1, 2, 3])
        }
        #expect(counter(box, .macNotLearned) == 3)
        #expect(box.takeEvents().filter { $0.kind == .macTableFull }.count == 3)
    }

    @Test func `a port without carrier gets nothing and loses its addresses`() throws {
        var box = try Switch(Self.configuration())
        var output = FrameQueue()
        _ = ports(&box, Self.frame(from: Self.b, to: .broadcast), on: 1)
        _ = ports(&box, Self.frame(from: Self.a, to: .broadcast), on: 0)
        #expect(box.perform(.carrier(port: "p1", isUp: false), at: Self.start, into: &output) == .done)
        #expect(ports(&box, Self.frame(from: Self.a, to: Self.b), on: 0) == [2, 3])
        // A frame that waited when the carrier was lost teaches nothing.
        _ = ports(&box, Self.frame(from: Self.b, to: Self.a), on: 1)
        #expect(ports(&box, Self.frame(from: Self.a, to: Self.b), on: 0) == [2, 3])
        #expect(box.perform(.carrier(port: "p1", isUp: true), at: Self.start, into: &output) == .done)
        #expect(ports(&box, Self.frame(from: Self.a, to: Self.b), on: 0) == [1, 2, 3])
        guard case .refused(let reason) = box.perform(.carrier(port: "p9", isUp: true), at: Self.start, into: &output)
        else { return #expect(Bool(false), "a port that is not there was taken") }
        #expect(reason == "sw has no port 'p9'; its ports are p0, p1, p2, p3")
        guard case .refused = box.perform(.switchover, at: Self.start, into: &output) else {
            return #expect(Bool(false), "a switch has no peer")
        }
    }

    @Test func `what is flooded to no port is dropped and counted`() throws {
        var box = try Switch(Self.configuration(ports: 2))
        var output = FrameQueue()
        #expect(box.perform(.carrier(port: "p0", isUp: true), at: Self.start, into: &output) == .done)
        #expect(box.perform(.carrier(port: "p1", isUp: false), at: Self.start, into: &output) == .done)
        #expect(ports(&box, Self.frame(from: Self.a, to: Self.b), on: 0) == [])
        #expect(box.counters.first { $0.name == "drop.carrier-down" }?.value == 1)
    }

    @Test func `frames that are too short, too long or of the host side are dropped and counted`() throws {
        var box = try Switch(Self.configuration())
        #expect(ports(&box, Array(Self.frame(from: Self.a, to: .broadcast).prefix(13)), on: 0) == [])
        #expect(ports(&box, Self.frame(from: Self.a, to: .broadcast, length: 1519), on: 0) == [])
        // A tagged frame of full size is none too long.
        #expect(ports(&box, Self.frame(from: Self.a, to: .broadcast, length: 1518), on: 0) == [1, 2, 3])
        #expect(ports(&box, Self.frame(from: Self.a, to: .broadcast), on: 9) == [])
        let counters = box.counters
        #expect(counters.first { $0.name == "drop.malformed-frame" }?.value == 3)
    }

    @Test func `what cannot be is refused in a sentence`() {
        func refusal(_ configuration: SwitchConfiguration) -> String {
            do {
                _ = try Switch(configuration)
                return ""
            } catch { return error.description }
        }
        #expect(refusal(Self.configuration(ports: 1)) == "the switch 'sw' has 1 ports; allowed are 2 … 8")
        #expect(refusal(Self.configuration(ports: 9)) == "the switch 'sw' has 9 ports; allowed are 2 … 8")
        #expect(
            refusal(Self.configuration(ports: 2, mtus: [1500, 1400]))
                == "the ports of the switch 'sw' have MTU 1500, 1400; give its networks the same")
    }

    @Test func `a batch that is flooded to every port fits the queue`() throws {
        let batch = ApplianceDriver<Switch, VirtualLinks>.batchSize
        var box = try Switch(Self.configuration(ports: SwitchConfiguration.mostPorts))
        var output = FrameQueue()
        var bytes = Self.frame(from: Self.a, to: .broadcast)
        bytes.withUnsafeMutableBytes { buffer in
            let frames = (0..<batch).map { _ in
                Frame(base: buffer.baseAddress!, length: Int32(buffer.count), port: 0, side: .wire)
            }
            frames.withUnsafeBufferPointer { box.process($0, at: Self.start, into: &output) }
        }
        #expect(output.count == batch * (SwitchConfiguration.mostPorts - 1))
    }

    /// Known stations; and with a table that is full, where each frame would be an event.
    @Test(arguments: [8, 1])
    func `no frame allocates memory`(tableSize: Int) throws {
        var box = try Switch(Self.configuration(tableSize: tableSize))
        var output = FrameQueue()
        var known = Self.frame(from: Self.b, to: Self.a)
        var unknown = Self.frame(from: Self.a, to: Self.c)
        let counted = known.withUnsafeMutableBytes { known in
            unknown.withUnsafeMutableBytes { unknown in
                let frames = [
                    Frame(base: unknown.baseAddress!, length: Int32(unknown.count), port: 0, side: .wire),
                    Frame(base: known.baseAddress!, length: Int32(known.count), port: 1, side: .wire),
                ]
                return frames.withUnsafeBufferPointer { frames in
                    // More than the burst of events.
                    for _ in 0..<300 {
                        box.process(frames, at: Self.start, into: &output)
                        output.removeAll()
                    }
                    _ = box.takeEvents()
                    let before = malloc_counter_of_this_thread()
                    for _ in 0..<1000 {
                        box.process(frames, at: Self.start, into: &output)
                        output.removeAll()
                    }
                    return malloc_counter_of_this_thread() - before
                }
            }
        }
        #expect(counted == 0)
    }
}
