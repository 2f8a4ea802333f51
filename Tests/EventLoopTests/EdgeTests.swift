import CLinux
import EventLoop
import Glibc
import LabTime
import Testing

/// A socket pair of which the loop watches one end for edges.
private final class Edge: ReadinessHandler {
    private var pair: [Int32] = [-1, -1]
    private let onReady: (Edge) -> Void
    private(set) var received: [EventLoop.Readiness] = []
    private(set) var hasEnded = false
    var watched: Int32 { pair[0] }

    init(on loop: EventLoop, onReady: @escaping (Edge) -> Void = { _ in }) throws {
        self.onReady = onReady
        let isMade = cl_socket_pair(&pair) == 0
        #expect(isMade)
        try loop.watch(pair[0], for: [.readable, .peerEnd, .edges], telling: self)
    }

    deinit { for descriptor in pair where descriptor >= 0 { close(descriptor) } }

    func send(_ text: String) {
        let written = write(pair[1], text, text.utf8.count)
        #expect(written == text.utf8.count)
    }

    func finish() { shutdown(pair[1], Int32(SHUT_WR)) }

    func ready(_ readiness: EventLoop.Readiness) {
        received.append(readiness)
        onReady(self)
    }

    func loopEnds() { hasEnded = true }
}

@Suite struct `Edges` {
    @Test func `are reported once each, also the peer's end`() throws {
        let loop = try EventLoop()
        let edge = try Edge(on: loop)
        edge.send("a")
        for _ in 0..<3 { loop.turn(block: false) }
        #expect(edge.received == [.readable])
        edge.send("b")
        for _ in 0..<3 { loop.turn(block: false) }
        #expect(edge.received == [.readable, .readable])
        edge.finish()
        for _ in 0..<3 { loop.turn(block: false) }
        #expect(edge.received.count == 3 && edge.received[2].contains([.readable, .peerEnd]))
    }

    @Test func `who asks to be served again is, in the next turn and without waiting, and the others between`() throws {
        let loop = try EventLoop()
        var order: [String] = []
        let greedy = try Edge(on: loop) {
            order.append("greedy")
            if $0.received.count < 5 { loop.serveAgain($0.watched) }
        }
        let modest = try Edge(on: loop) { _ in order.append("modest") }
        loop.schedule(after: .zero) { order.append("timer") }
        greedy.send("a")
        loop.turn(block: true)
        modest.send("b")
        for _ in 0..<4 { loop.turn(block: true) }
        #expect(order == ["greedy", "timer", "modest", "greedy", "greedy", "greedy", "greedy"])
    }

    @Test func `of a number that is used anew nothing old is reported`() throws {
        let loop = try EventLoop()
        let old = try Edge(on: loop)
        loop.serveAgain(old.watched)
        old.send("a")
        let number = old.watched
        loop.forget(old.watched)
        var pair: [Int32] = [-1, -1]
        let isMade = cl_socket_pair(&pair) == 0
        #expect(isMade)
        defer { for descriptor in pair { close(descriptor) } }
        // Closes what had the number and gives it to the other in one step, so that no other test takes it.
        let isSame = dup2(pair[0], number) == number
        #expect(isSame)
        var calls = 0
        try loop.watch(number) { _ in calls += 1 }
        for _ in 0..<3 { loop.turn(block: false) }
        #expect(old.received.isEmpty && calls == 0)
    }

    @Test func `a loop that has ended watches nothing any more, not even for a handler that is notified of the end`()
        throws
    {
        let loop = try EventLoop()
        let (first, second) = (try Edge(on: loop), try Edge(on: loop))
        withExtendedLifetime((first, second)) {
            loop.end()
            #expect(throws: (any Error).self) { try loop.watch(first.watched) { _ in } }
        }
    }

    @Test func `the end of a turn is reported after its events and timers`() throws {
        let loop = try EventLoop()
        var order: [String] = []
        let edge = try Edge(on: loop) { _ in order.append("event") }
        loop.schedule(after: .zero) { order.append("timer") }
        loop.onTurnEnd = { order.append("end") }
        edge.send("a")
        loop.turn(block: true)
        #expect(order == ["event", "timer", "end"])
    }
}

@Suite struct `A loop on a thread of its own` {
    private final class Kept: @unchecked Sendable {
        var edge: Edge?
        var steps: [Int] = []
    }

    @Test func `does what it is sent in order, and answers who waits`() throws {
        let thread = try LoopThread(name: "test")
        let kept = Kept()
        for number in 0..<100 { thread.send { _ in kept.steps.append(number) } }
        let (steps, isElsewhere) = thread.perform { [main = pthread_self()] _ in
            (kept.steps, pthread_equal(main, pthread_self()) == 0)
        }
        #expect(steps == Array(0..<100) && isElsewhere)
        thread.stop()
        thread.stop()
    }

    @Test func `notifies each handler when it ends, and has ended when stop returns`() throws {
        let thread = try LoopThread(name: "test")
        let kept = Kept()
        let isMade = thread.perform { loop in
            kept.edge = try? Edge(on: loop)
            return kept.edge != nil
        }
        #expect(isMade)
        thread.stop()
        #expect(kept.edge?.hasEnded == true)
    }
}
