import Dataplane
import LabTime
import Testing
import Wire

private let a = IPv4Address(192, 0, 2, 1)
private let b = IPv4Address(192, 0, 2, 2)
private let macA = MACAddress(2, 0, 0, 0, 0, 0xa)
private let macB = MACAddress(2, 0, 0, 0, 0, 0xb)
private let start = Instant(nanoseconds: 1_000_000_000)

@Suite struct NeighborTableTests {
    private func bytes(_ marker: UInt8) -> [UInt8] { [UInt8](repeating: marker, count: 60) }

    private func hold(_ table: inout NeighborTable, _ marker: UInt8, for address: IPv4Address) -> NeighborHold {
        bytes(marker).withUnsafeBytes { table.hold($0, for: address, on: 0, at: start) }
    }

    @Test func `an unasked answer does not create a neighbour, a request for us does`() {
        var table = NeighborTable()
        #expect(table.learn(a, macA, on: 0, at: start, creates: false) == .ignored)
        #expect(table.lookup(a, on: 0) == nil)
        #expect(table.learn(a, macA, on: 0, at: start, creates: true) == .learned)
        #expect(table.lookup(a, on: 0) == macA)
        #expect(table.lookup(a, on: 1) == nil)
    }

    @Test func `a gratuitous ARP changes an existing entry at once`() {
        var table = NeighborTable()
        _ = table.learn(a, macA, on: 0, at: start, creates: true)
        #expect(table.learn(a, macB, on: 0, at: start, creates: false) == .changed(from: macA))
        #expect(table.lookup(a, on: 0) == macB)
        #expect(table.learn(a, macB, on: 0, at: start, creates: false) == .confirmed)
    }

    @Test func `frames wait in order and leave with the neighbour's address`() {
        var table = NeighborTable()
        var output = FrameQueue()
        #expect(hold(&table, 1, for: a) == .heldFirst)
        #expect(hold(&table, 2, for: a) == .held)
        #expect(table.learn(a, macA, on: 0, at: start, creates: false) == .learned)
        let released = table.release(a, on: 0, into: &output)
        #expect(released.sent == 2 && released.dropped == 0)
        for (index, marker) in [1, 2].enumerated() {
            #expect(UnsafeRawPointer(output[index].base).readMAC(at: 0) == macA)
            #expect(output[index].bytes[6] == UInt8(marker))
            #expect(output[index].length == 60)
        }
        #expect(table.release(a, on: 0, into: &output) == (0, 0))
    }

    @Test func `the oldest frame gives way when too many wait for one neighbour`() {
        var table = NeighborTable()
        var output = FrameQueue()
        for marker in 0..<UInt8(NeighborTable.heldPerNeighbor) { _ = hold(&table, marker, for: a) }
        #expect(hold(&table, 99, for: a) == .heldInsteadOfOldest)
        _ = table.learn(a, macA, on: 0, at: start, creates: false)
        #expect(table.release(a, on: 0, into: &output).sent == NeighborTable.heldPerNeighbor)
        #expect(output[0].bytes[6] == 1)
        #expect(output[NeighborTable.heldPerNeighbor - 1].bytes[6] == 99)
    }

    @Test func `no holding place is left for the frames of others when all are taken`() {
        var table = NeighborTable(heldFrames: 2)
        _ = hold(&table, 1, for: a)
        _ = hold(&table, 2, for: a)
        #expect(hold(&table, 3, for: b) == .noRoom(isFirst: true))
        #expect(hold(&table, 4, for: b) == .noRoom(isFirst: false))
    }

    @Test func `a neighbour that never answers is asked five times and given up with its frames`() {
        var table = NeighborTable()
        #expect(hold(&table, 1, for: a) == .heldFirst)
        var requests = 1
        var now = start
        while let deadline = table.deadline {
            now = max(now, deadline)
            switch table.nextTimeout(at: now) {
            case .request(.ipv4(a), port: 0): requests += 1
            case .unreachable(.ipv4(a), port: 0, dropped: 1): #expect(table.count == 0)
            case nil: break
            case let other?: Issue.record("unexpected \(other)")
            }
        }
        #expect(requests == 5)
        #expect(now - start >= .seconds(1) && now - start < .milliseconds(1300))
        #expect(hold(&table, 1, for: a) == .heldFirst)
    }

    @Test func `a neighbour in use is asked by unicast when its answer is old, and stays where it answers`() {
        var table = NeighborTable()
        _ = table.learn(a, macA, on: 0, at: start, creates: true)
        _ = table.lookup(a, on: 0)
        let later = start + .milliseconds(30_100)
        #expect(table.nextTimeout(at: later) == .probe(.ipv4(a), macA, port: 0))
        #expect(table.lookup(a, on: 0) == macA)
        #expect(table.learn(a, macA, on: 0, at: later, creates: false) == .confirmed)
        #expect(table.nextTimeout(at: later + .seconds(29)) == nil)
        #expect(table.lookup(a, on: 0) == macA)
    }

    @Test func `a neighbour in use that is gone is forgotten after five probes`() {
        var table = NeighborTable()
        _ = table.learn(a, macA, on: 0, at: start, creates: true)
        _ = table.lookup(a, on: 0)
        var probes = 0
        var now = start
        search: while let deadline = table.deadline {
            now = max(now, deadline)
            switch table.nextTimeout(at: now) {
            case .probe: probes += 1
            case .unreachable: break search
            default: break
            }
        }
        #expect(probes == 5)
        #expect(table.lookup(a, on: 0) == nil)
    }

    @Test func `a neighbour that nobody uses is forgotten silently`() {
        var table = NeighborTable()
        _ = table.learn(a, macA, on: 0, at: start, creates: true)
        var now = start
        while let deadline = table.deadline {
            now = max(now, deadline)
            #expect(table.nextTimeout(at: now) == nil)
        }
        #expect(table.count == 0)
        #expect(now - start >= .seconds(300) && now - start < .seconds(310))
    }

    @Test func `a full table lets the unused neighbour go that was confirmed longest ago`() {
        var table = NeighborTable(capacity: 3)
        for number in 1...3 as ClosedRange<UInt8> {
            _ = table.learn(
                IPv4Address(192, 0, 2, number), macA, on: 0, at: start + .seconds(Int(number)), creates: true)
        }
        _ = table.lookup(IPv4Address(192, 0, 2, 1), on: 0)
        #expect(table.learn(IPv4Address(192, 0, 2, 4), macB, on: 0, at: start + .seconds(9), creates: true) == .learned)
        #expect(table.evictions == 1)
        #expect(table.lookup(IPv4Address(192, 0, 2, 1), on: 0) == macA)
        #expect(table.lookup(IPv4Address(192, 0, 2, 2), on: 0) == nil)
        #expect(table.lookup(IPv4Address(192, 0, 2, 3), on: 0) == macA)
        #expect(table.lookup(IPv4Address(192, 0, 2, 4), on: 0) == macB)
    }

    @Test func `a table full of neighbours in use refuses another one`() {
        var table = NeighborTable(capacity: 2)
        #expect(hold(&table, 1, for: a) == .heldFirst)
        #expect(hold(&table, 1, for: b) == .heldFirst)
        #expect(hold(&table, 1, for: IPv4Address(192, 0, 2, 3)) == .tableFull)
        #expect(table.learn(IPv4Address(192, 0, 2, 4), macB, on: 0, at: start, creates: true) == .tableFull)
    }

    @Test func `a port without carrier forgets its neighbours and what waits for them`() {
        var table = NeighborTable()
        _ = table.learn(b, macB, on: 1, at: start, creates: true)
        _ = hold(&table, 1, for: a)
        #expect(table.forget(on: 0) == 1)
        #expect(table.count == 1)
        #expect(table.lookup(b, on: 1) == macB)
        #expect(table.readings == [NeighborReading(address: .ipv4(b), port: 1, mac: macB, state: .reachable)])
    }
}
