import LabTime
import Redundancy
import TestSupport
import Testing

struct WindowTests {
    static let start = Instant(nanoseconds: 1_000_000_000)

    func send(_ window: inout SendWindow, _ bytes: [UInt8], at now: Instant = start) -> Bool {
        guard let buffer = window.reserve() else { return false }
        buffer.copyBytes(from: bytes)
        _ = window.commit(length: bytes.count, records: 1, at: now)
        return true
    }

    @Test func `a window takes so many messages and no more until the peer has consumed one`() {
        var window = SendWindow(capacity: 4, slotSize: 16)
        for number in UInt8(0)..<4 {
            let isSent = send(&window, [number])
            #expect(isSent)
        }
        let fifth = send(&window, [4])
        #expect(!fifth)
        let records = window.acknowledge(upTo: 3)
        #expect(records == 2)
        let next = send(&window, [4])
        #expect(next)
    }

    @Test func `a message is sent again when its acknowledgement is overdue, unless the peer keeps it`() {
        var window = SendWindow(capacity: 4, slotSize: 16, resendAfter: .milliseconds(20))
        for number in UInt8(1)...3 { _ = send(&window, [number]) }
        window.markArrived(0b01)
        #expect(window.deadline == Self.start + .milliseconds(20))
        let due = Self.start + .milliseconds(20)
        var resent: [UInt8] = []
        while let overdue = window.nextOverdue(at: due) { resent += Array(overdue.message) }
        #expect(resent == [1, 3])
        #expect(window.deadline == due + .milliseconds(20))
    }

    @Test func `an acknowledgement of what was never sent is refused, a late one says nothing`() {
        var window = SendWindow(capacity: 4, slotSize: 16)
        for number in UInt8(1)...2 { _ = send(&window, [number]) }
        let never = window.acknowledge(upTo: 4)
        #expect(never == nil)
        let all = window.acknowledge(upTo: 3)
        #expect(all == 2)
        let late = window.acknowledge(upTo: 2)
        #expect(late == 0)
        #expect(window.isEmpty && window.deadline == nil)
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func `whatever is lost, repeated or overtaken, every message is consumed once and in order`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var sender = SendWindow(capacity: 16, slotSize: 16, resendAfter: .milliseconds(40))
        var receiver = ReceiveWindow(capacity: 16, slotSize: 16)
        var flying: [[UInt8]] = []
        var consumed: [Int] = []
        var next = 0
        var now = Self.start
        func bytes(_ sequence: Int, _ value: Int) -> [UInt8] {
            [UInt8(sequence >> 8), UInt8(sequence & 0xff), UInt8(value >> 8), UInt8(value & 0xff)]
        }
        var steps = 0
        while consumed.count < 3000, steps < 200_000 {
            steps += 1
            now += .milliseconds(1)
            if next < 3000, !sender.isFull {
                let message = bytes(Int(sender.nextSequence), next)
                _ = send(&sender, message, at: now)
                flying.append(message)
                next += 1
            }
            while let overdue = sender.nextOverdue(at: now) { flying.append(Array(overdue.message)) }
            // The link's queue is full: what it cannot hold is lost.
            while flying.count > 40 { flying.remove(at: Int.random(in: 0..<flying.count, using: &random)) }
            guard !flying.isEmpty else { continue }
            let index = Int.random(in: 0..<flying.count, using: &random)
            let message = flying[index]
            // One in ten arrives and stays on its way as well.
            if Int.random(in: 0..<10, using: &random) > 0 { flying.remove(at: index) }
            if Int.random(in: 0..<10, using: &random) < 3 { continue }
            message.withUnsafeBytes { buffer in
                let sequence = UInt64(buffer[0]) << 8 | UInt64(buffer[1])
                guard case .inOrder = receiver.accept(sequence, buffer) else { return }
                consumed.append(Int(buffer[2]) << 8 | Int(buffer[3]))
                while let kept = receiver.takeNext() { consumed.append(Int(kept[2]) << 8 | Int(kept[3])) }
            }
            if Int.random(in: 0..<3, using: &random) == 0 {
                _ = sender.acknowledge(upTo: receiver.expected)
                sender.markArrived(receiver.arrived)
            }
        }
        #expect(consumed == Array(0..<3000), "seed \(seed), after \(steps) steps")
    }
}
