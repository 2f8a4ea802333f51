import Dataplane
import LabTime
import TestSupport
import Testing
import Wire

private func tuple(_ number: UInt32) -> FiveTuple {
    FiveTuple(
        source: IPv4Address(rawValue: 0x0a00_0000 | number >> 12), destination: IPv4Address(198, 51, 100, 100),
        sourcePort: UInt16(truncatingIfNeeded: 1024 + number & 0xfff), destinationPort: 80, protocol: .tcp)
}

private let start = Instant(nanoseconds: 5_000_000_000)

@Suite struct FlowTableTests {
    /// Of this size buckets, entries and values lie in memory of their own kind (`TableMemory`).
    @Test func `a table that no cache holds is filled to its capacity and finds every session`() {
        let capacity = 300_000
        var table = FlowTable<Int>(capacity: capacity)
        for number in 0..<capacity {
            let flow = tuple(UInt32(number))
            _ = table.insert(
                original: flow, reply: flow.reversed, value: number, expires: start + .seconds(9), now: start)
        }
        #expect(table.count == capacity)
        var wrong = 0
        for number in 0..<capacity {
            let flow = tuple(UInt32(number))
            guard let match = table.find(flow), let reply = table.find(flow.reversed) else {
                wrong += 1
                continue
            }
            if match.index != reply.index || table[match.index] != number || reply.direction != .reply { wrong += 1 }
        }
        #expect(wrong == 0)
        var expired = 0
        while let index = table.nextExpired(at: start + .seconds(10)) {
            table.remove(index)
            expired += 1
        }
        #expect(expired == capacity && table.count == 0)
    }

    @Test func `a session is found by both of its flows, each with its direction`() throws {
        var table = FlowTable<Int>(capacity: 8)
        let reply = FiveTuple(
            source: IPv4Address(203, 0, 113, 21), destination: IPv4Address(203, 0, 113, 10), sourcePort: 8080,
            destinationPort: 10240, protocol: .tcp)
        guard
            case .inserted(let index) = table.insert(
                original: tuple(1), reply: reply, value: 7, expires: start + .seconds(1), now: start)
        else { Issue.record("not inserted"); return }
        #expect(table.find(tuple(1)) == FlowMatch(index: index, direction: .original))
        #expect(table.find(reply) == FlowMatch(index: index, direction: .reply))
        #expect(table.find(tuple(1).reversed) == nil)
        #expect(table[index] == 7)
        table[index] += 1
        #expect(table[index] == 8)
        #expect(table.original(of: index) == tuple(1))
        #expect(table.reply(of: index) == reply)
        table.remove(index)
        #expect(table.find(tuple(1)) == nil)
        #expect(table.find(reply) == nil)
        #expect(table.count == 0)
    }

    @Test func `a full table refuses a new session and keeps the others`() {
        var table = FlowTable<UInt32>(capacity: 100)
        for number in 0..<100 as Range<UInt32> {
            _ = table.insert(
                original: tuple(number), reply: nil, value: number, expires: start + .seconds(1), now: start)
        }
        #expect(
            table.insert(original: tuple(100), reply: nil, value: 0, expires: start + .seconds(1), now: start) == .full)
        #expect(table.count == 100)
        for number in 0..<100 as Range<UInt32> { #expect(table.find(tuple(number)) != nil) }
    }

    @Test func `a five-tuple that is taken is answered with the session that has it`() {
        var table = FlowTable<Int>(capacity: 4)
        let insertion = table.insert(
            original: tuple(1), reply: tuple(2), value: 1, expires: start + .seconds(1), now: start)
        guard case .inserted(let index) = insertion else { Issue.record("not inserted"); return }
        #expect(
            table.insert(original: tuple(3), reply: tuple(2), value: 2, expires: start + .seconds(1), now: start)
                == .conflict(FlowMatch(index: index, direction: .reply)))
        #expect(table.count == 1)
        #expect(table.find(tuple(3)) == nil)
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `the table agrees with a dictionary through thousands of random changes`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var table = FlowTable<UInt32>(capacity: 300, seed: seed)
        var model: [FiveTuple: (index: FlowIndex, value: UInt32)] = [:]
        for step in 0..<20_000 {
            let number = UInt32.random(in: 0..<500, using: &random)
            let original = tuple(number)
            let reply = tuple(number + 10_000)
            if let known = model[original] {
                #expect(table.find(original)?.index == known.index, "seed \(seed), step \(step)")
                #expect(table.find(reply)?.index == known.index, "seed \(seed), step \(step)")
                #expect(table[known.index] == known.value)
                if Bool.random(using: &random) {
                    table.remove(known.index)
                    model[original] = nil
                }
            } else {
                #expect(table.find(original) == nil, "seed \(seed), step \(step)")
                switch table.insert(
                    original: original, reply: reply, value: number, expires: start + .seconds(10), now: start)
                {
                case .inserted(let index): model[original] = (index, number)
                case .full: #expect(model.count == 300)
                case .conflict: Issue.record("seed \(seed), step \(step): conflict")
                }
            }
            #expect(table.count == model.count)
        }
        var walked = 0
        var next = table.next(after: nil)
        while let index = next {
            walked += 1
            next = table.next(after: index)
        }
        #expect(walked == model.count)
    }

    @Test func `a session without packets expires and one that is kept does not`() {
        var table = FlowTable<Int>(capacity: 8)
        _ = table.insert(original: tuple(1), reply: nil, value: 1, expires: start + .seconds(2), now: start)
        _ = table.insert(original: tuple(2), reply: nil, value: 2, expires: start + .seconds(2), now: start)
        #expect(table.nextExpired(at: start + .seconds(1)) == nil)
        table.keep(table.find(tuple(2))!.index, until: start + .seconds(4), now: start + .seconds(1))
        let expired = table.nextExpired(at: start + .milliseconds(2100))
        #expect(expired == table.find(tuple(1))?.index)
        if let expired { table.remove(expired) }
        #expect(table.nextExpired(at: start + .seconds(3)) == nil)
        #expect(table.nextExpired(at: start + .milliseconds(4100)) == table.find(tuple(2))?.index)
    }

    @Test func `bringing the end of a session forward takes effect`() {
        var table = FlowTable<Int>(capacity: 8)
        _ = table.insert(original: tuple(1), reply: nil, value: 1, expires: start + .seconds(300), now: start)
        let index = table.find(tuple(1))!.index
        table.keep(index, until: start + .seconds(1), now: start)
        #expect(table.nextExpired(at: start + .milliseconds(900)) == nil)
        #expect(table.nextExpired(at: start + .milliseconds(1100)) == index)
    }

    @Test func `a session handed out as expired can be renewed`() {
        var table = FlowTable<Int>(capacity: 8)
        _ = table.insert(original: tuple(1), reply: nil, value: 1, expires: start + .seconds(1), now: start)
        let index = table.nextExpired(at: start + .seconds(2))!
        table.renew(index, until: start + .seconds(3), now: start + .seconds(2))
        #expect(table.nextExpired(at: start + .milliseconds(2900)) == nil)
        #expect(table.nextExpired(at: start + .milliseconds(3100)) == index)
    }
}
