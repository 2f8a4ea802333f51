import CLinux
import Dispatch
import EventLoop
import Glibc
import LabTime
import TestSupport
import Testing

@Suite struct EventLoopTests {
    @Test func `timers fire in the order of their instants, equal ones in the order of scheduling`() throws {
        let loop = try EventLoop()
        let seed: UInt64 = 7
        var generator = SeededGenerator(seed: seed)
        let begin = loop.now
        let dues = (0..<200).map { ($0, Int64.random(in: 0..<20, using: &generator)) }
        var fired: [(Int, Int64)] = []
        for (number, delay) in dues {
            loop.schedule(at: begin + .microseconds(delay * 100)) {
                fired.append((number, delay))
                if fired.count == dues.count { loop.stop() }
            }
        }
        loop.run()
        #expect(fired.map(\.0) == dues.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.map(\.0), "seed \(seed)")
    }

    @Test func `a cancelled timer does not fire, and cancelling twice does no harm`() throws {
        let loop = try EventLoop()
        var fired: [String] = []
        let cancelled = loop.schedule(after: .milliseconds(1)) { fired.append("cancelled") }
        loop.schedule(after: .milliseconds(2)) { loop.stop() }
        loop.cancel(cancelled)
        loop.cancel(cancelled)
        loop.run()
        #expect(fired.isEmpty)
    }

    @Test func `a descriptor that was unwatched by an earlier handler of the same turn is not served`() throws {
        let loop = try EventLoop()
        var pairs: [[Int32]] = []
        for _ in 0..<2 {
            var pair: [Int32] = [-1, -1]
            #expect(cl_socket_pair(&pair) == 0)
            pairs.append(pair)
        }
        defer { for pair in pairs { pair.forEach { close($0) } } }
        var served = 0
        for (index, pair) in pairs.enumerated() {
            try loop.watch(pair[0]) { _ in
                served += 1
                loop.unwatch(pairs[1 - index][0])
                loop.stop()
            }
            let written = write(pair[1], "x", 1)
            #expect(written == 1)
        }
        loop.run()
        #expect(served == 1)
    }

    @Test func `messages from other threads arrive in order on the loop's thread`() throws {
        let loop = try EventLoop()
        var received: [Int] = []
        let mailbox = try Mailbox<Int>(on: loop) { message in
            received.append(message)
            if received.count == 1000 { loop.stop() }
        }
        let context = Unmanaged.passRetained(mailbox)
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { context in
                let mailbox = Unmanaged<Mailbox<Int>>.fromOpaque(context!).takeRetainedValue()
                for number in 0..<1000 { mailbox.send(number) }
                return nil
            }, context.toOpaque())
        loop.run()
        pthread_join(thread, nil)
        #expect(received == Array(0..<1000))
    }
}

@Suite struct LineChannelTests {
    private func connected() throws -> (EventLoop, Int32, Int32) {
        var pair: [Int32] = [-1, -1]
        #expect(cl_socket_pair(&pair) == 0)
        return (try EventLoop(), pair[0], pair[1])
    }

    @Test func `lines arrive whole however they were split`() throws {
        let (loop, ours, theirs) = try connected()
        defer { close(theirs) }
        let seed: UInt64 = 42
        var generator = SeededGenerator(seed: seed)
        let lines = (0..<300).map { _ in
            (0..<Int.random(in: 0..<400, using: &generator)).map { _ in UInt8.random(in: 32...126, using: &generator) }
        }
        var received: [[UInt8]] = []
        let channel = try LineChannel(ours, on: loop) { received.append($0) }
        defer { channel.close() }
        var rest: ArraySlice<UInt8> = lines.flatMap { $0 + [10] }[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(Int.random(in: 1...900, using: &generator)))
            // Not within #expect, which would pass a pointer on that is no longer valid.
            let written = write(theirs, piece, piece.count)
            #expect(written == piece.count)
            rest = rest.dropFirst(piece.count)
            loop.turn(block: false)
        }
        #expect(received == lines, "seed \(seed)")
    }

    @Test func `what a peer sent before it closed is delivered before the close`() throws {
        let (loop, ours, theirs) = try connected()
        var received: [String] = []
        let channel = try LineChannel(ours, on: loop) { line in
            received.append(String(decoding: line, as: UTF8.self))
        } onClose: {
            received.append("closed")
            loop.stop()
        }
        let written = write(theirs, "one\ntwo\nhalf", 12)
        #expect(written == 12)
        close(theirs)
        loop.run()
        #expect(received == ["one", "two", "closed"])
        #expect(!channel.isOpen)
    }

    @Test func `a peer that stops reading is given up after the limit, not waited for`() throws {
        let (loop, ours, theirs) = try connected()
        defer { close(theirs) }
        var isClosed = false
        let channel = try LineChannel(ours, on: loop) { _ in
        } onClose: {
            isClosed = true
        }
        let line = [UInt8](repeating: 65, count: 1 << 20)
        for _ in 0...(LineChannel.Limits.clients.mostWaiting >> 20) + 1 { channel.send(line) }
        #expect(isClosed)
    }

    /// As a lab's supervisor does while the command that should hear it judges another variant.
    @Test func `who ends waits until a busy peer has taken in every line`() throws {
        let (loop, ours, theirs) = try connected()
        let channel = try LineChannel(ours, on: loop) { _ in }
        let lines = 2000
        for number in 0..<lines { channel.send([UInt8](repeating: UInt8(65 + number % 26), count: 300)) }
        var waiting: Int32 = 0
        let isAsked = ioctl(theirs, UInt(FIONREAD), &waiting) == 0
        #expect(isAsked && waiting > 0 && Int(waiting) < lines * 301, "the socket has no room for all of it")
        let group = DispatchGroup()
        nonisolated(unsafe) var total = 0
        DispatchQueue.global().async(group: group) {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while case let count = read(theirs, &buffer, buffer.count), count > 0 { total += count }
        }
        channel.finishSending(within: .seconds(30))
        channel.close()
        group.wait()
        close(theirs)
        #expect(total == lines * 301)
    }

    @Test func `who ends does not wait for a peer that is gone or takes nothing`() throws {
        let (loop, ours, theirs) = try connected()
        let channel = try LineChannel(ours, on: loop) { _ in }
        for _ in 0..<2000 { channel.send([UInt8](repeating: 65, count: 300)) }
        channel.finishSending(within: .milliseconds(20))
        #expect(channel.isOpen)
        close(theirs)
        channel.finishSending(within: .seconds(30))
        #expect(!channel.isOpen)
    }

    /// As the results of a traffic program with 100,000 connections are.
    @Test func `one line of 48 MiB passes between the processes of a lab, and a client's does not`() throws {
        for (limits, passes) in [(LineChannel.Limits.ownProcesses, true), (.clients, false)] {
            let (loop, ours, theirs) = try connected()
            let sender = try LineChannel(ours, limits: limits, on: loop) { _ in }
            var (received, isClosed) = (0, false)
            let receiver = try LineChannel(theirs, limits: limits, on: loop) {
                received = $0.count
            } onClose: {
                isClosed = true
            }
            sender.send([UInt8](repeating: 65, count: 48 << 20))
            while received == 0, !isClosed { loop.turn(block: true) }
            #expect(received == (passes ? 48 << 20 : 0) && isClosed == !passes)
            (sender.close(), receiver.close())
        }
    }

    @Test func `a line without end is refused`() throws {
        let (loop, ours, theirs) = try connected()
        defer { close(theirs) }
        var isClosed = false
        let limits = LineChannel.Limits(mostWaiting: 1 << 20, longestLine: 1 << 20)
        let channel = try LineChannel(ours, limits: limits, on: loop) { _ in
        } onClose: {
            isClosed = true
        }
        let piece = [UInt8](repeating: 65, count: 65536)
        var written = 0
        while !isClosed, written <= limits.longestLine + 2 * piece.count {
            written += max(0, send(theirs, piece, piece.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)))
            loop.turn(block: false)
        }
        #expect(isClosed)
        #expect(!channel.isOpen)
    }
}
