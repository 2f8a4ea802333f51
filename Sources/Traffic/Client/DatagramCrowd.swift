internal import EventLoop
internal import LabTime
internal import Measurement
internal import SystemPackage
internal import TrafficModel
internal import Wire

/// So many long-lived UDP flows that none has a socket of its own (`udp-crowd`).
///
/// Flow number n comes from the address n modulo their number, and from the source port n divided by it: one socket
/// serves all flows of a port, and each datagram names the address from which it leaves. An answer counts where it
/// comes from the target to the very address and port that asked.
///
/// Between two rounds, flows whose newest request is unanswered ask again, every `retryEvery`: so many requests at a time
/// find a full buffer somewhere. Each that was not answered counts as lost.
///
/// Flows end as those of `udp` do (`DatagramModel`), with one difference: nobody hears ICMP errors, so a flow that is
/// refused times out.
final class DatagramCrowd {
    /// Flows that are listed one by one in the result; those that failed come first.
    static let mostListed = 1000
    /// Requests, or answers of one socket, before other descriptors get their turn.
    private static let batch = 256
    /// Requests that fall due within this time leave together.
    private static let pause: Duration = .microseconds(500)

    private let context: FlowContext
    private let sources: [IPv4Address]
    private let count: Int
    private let onReady: () -> Void
    private let onEnd: (TrafficResult) -> Void
    private var schedule: CrowdSchedule
    /// When flows that wait for an answer ask again; nil while a round is under way.
    private var retryAt: Instant?
    /// How far a pass over those has come.
    private var retried = 0
    private var sockets: [Socket] = []
    /// Of each socket. Without sources, the address by which the kernel reaches the target.
    private var ports: [UInt16] = []
    private var ownAddress: IPAddress
    private var messages: DatagramBuffers
    private var meters: [FlowMeter]
    private var endings: [Int: (at: Instant, ending: FlowEnding)] = [:]
    /// The newest request of each flow when it was told to finish; nil before.
    private var lastAsked: [UInt64?]?
    /// Flows without an answer so far; while finishing, those without an answer to their newest request.
    private var waiting: Int
    private var bytes: [UInt8] = []
    private var garbage = 0
    private var skipped = 0
    private var problem: String?
    private var isReady = false
    private var hasEnded = false
    private var timer: EventLoop.Timer?
    private var deadline: EventLoop.Timer?

    /// - Parameters:
    ///   - onReady: every flow has had an answer, or has ended
    ///   - onEnd: called once, after `finish`, never from within it
    init(_ context: FlowContext, onReady: @escaping () -> Void, onEnd: @escaping (TrafficResult) -> Void) {
        let program = context.program
        self.context = context
        self.onReady = onReady
        self.onEnd = onEnd
        count = max(program.flows, 1)
        waiting = count
        let network = program.crowd?.sources
        sources = network.map { $0.addresses(atMost: program.flows) } ?? []
        ownAddress = program.target.family == .ipv4 ? .ipv4(.any) : .ipv6(.any)
        messages = DatagramBuffers(program.target.family)
        meters = [FlowMeter](
            repeating: FlowMeter(cadence: program.every, patience: program.timeout, remembersAtLeast: 16),
            count: count)
        schedule = CrowdSchedule(start: context.loop.now, every: program.every, spread: .zero, flows: count)
    }

    func start() {
        let ports = (count - 1) / max(1, sources.count) + 1
        do throws(Errno) {
            for number in 0..<ports { try open(number) }
        } catch {
            skip(error.description, count)
            for socket in sockets { context.loop.unwatch(socket.descriptor) }
            sockets = []
            return
        }
        let program = context.program
        schedule = CrowdSchedule(
            start: context.loop.now, every: program.every, spread: program.crowd?.spread ?? program.every, flows: count)
        timer = context.loop.schedule(at: schedule.start) { [unowned self] in askWhatIsDue() }
    }

    private func open(_ number: Int) throws(Errno) {
        let socket = try Socket(.udp, context.program.target.family)
        try socket.tellLocalAddress()
        try context.ports.bind(socket)
        ports.append(socket.localEndpoint?.port ?? 0)
        sockets.append(socket)
        try context.loop.watch(socket.descriptor) { [unowned self] _ in read(number) }
    }

    private func skip(_ reason: String, _ count: Int = 1) {
        skipped += count
        problem = reason
    }

    // MARK: Asking

    private func askWhatIsDue() {
        let now = context.loop.now
        var asked = 0
        while asked < Self.batch, let flow = schedule.take(at: now) {
            ask(flow, at: now)
            asked += 1
        }
        if asked > 0 { retryAt = schedule.isBetweenRounds ? now + context.program.retryEvery : nil }
        if let retryAt, retryAt <= now { asked += askAgain(at: now) }
        guard !hasEnded else { return }
        let due = min(schedule.nextDue, retryAt ?? schedule.nextDue)
        let next = max(due, asked < Self.batch ? now + Self.pause : now)
        timer = context.loop.schedule(at: next) { [unowned self] in askWhatIsDue() }
    }

    /// One part of a pass over the flows that wait for an answer.
    /// - Returns: how many asked
    private func askAgain(at now: Instant) -> Int {
        var asked = 0
        while retried < count, asked < Self.batch {
            if !meters[retried].isSettled {
                ask(retried, at: now)
                asked += 1
            }
            retried += 1
        }
        if retried == count {
            retried = 0
            retryAt = now + context.program.retryEvery
        }
        return asked
    }

    private func ask(_ flow: Int, at now: Instant) {
        guard endings[flow] == nil else { return }
        if let lastAsked {
            guard let last = lastAsked[flow], !meters[flow].isAnswered(from: last) else { return }
        }
        guard !meters[flow].hasTimedOut(at: now) else {
            return end(flow, .timedOut(context.program, waitingFor: "answer"), at: now)
        }
        let sequence = meters[flow].newest.map { $0 + 1 } ?? 0
        bytes.removeAll(keepingCapacity: true)
        context.record(flow: UInt32(flow), sequence: sequence, at: now).append(to: &bytes)
        let (port, source) = origin(of: flow)
        switch messages.send(bytes, from: source, to: context.target, on: sockets[port].descriptor) {
        // As in `DatagramModel`: the number is given only to what really leaves.
        case nil: _ = meters[flow].ask(at: now)
        case .wouldBlock?, .noBufferSpace?: skip("the socket's send buffer is full")
        case let error?: end(flow, FlowEnding(error), at: now)
        }
    }

    /// The number of a flow's socket, and the address from which it asks.
    private func origin(of flow: Int) -> (port: Int, source: IPv4Address?) {
        guard !sources.isEmpty else { return (flow, nil) }
        return (flow / sources.count, sources[flow % sources.count])
    }

    private func end(_ flow: Int, _ ending: FlowEnding, at now: Instant) {
        let wasOpen = isOpen(flow)
        endings[flow] = (now, ending)
        if wasOpen { settle() }
    }

    /// Whether it counts among those that are waited for.
    private func isOpen(_ flow: Int) -> Bool {
        guard let lastAsked else { return meters[flow].received == 0 }
        return lastAsked[flow].map { !meters[flow].isAnswered(from: $0) } ?? false
    }

    private func settle() {
        waiting -= 1
        guard waiting == 0 else { return }
        if !isReady, lastAsked == nil {
            isReady = true
            onReady()
        }
        if lastAsked != nil { endSoon() }
    }

    // MARK: Answers

    private func read(_ number: Int) {
        let descriptor = sockets[number].descriptor
        let now = context.loop.now
        for _ in 0..<Self.batch {
            guard !hasEnded, messages.receive(on: descriptor) else { return }
            guard let flow = flow(answeredAt: number) else {
                garbage += 1
                continue
            }
            if sources.isEmpty, let own = messages.localAddress { ownAddress = own }
            let wasOpen = isOpen(flow.number)
            meters[flow.number].answered(flow.sequence, at: now)
            if wasOpen, !isOpen(flow.number), endings[flow.number] == nil { settle() }
        }
    }

    private func flow(answeredAt port: Int) -> (number: Int, sequence: UInt64)? {
        guard let record = ProbeRecord(datagram: messages.received), record.program == context.number,
            record.flow < count, messages.senderEndpoint == context.target
        else { return nil }
        let origin = origin(of: Int(record.flow))
        guard origin.port == port, origin.source == nil || messages.localAddress == origin.source.map({ .ipv4($0) })
        else { return nil }
        return (Int(record.flow), record.sequence)
    }

    // MARK: Ending

    /// Asks only flows whose newest request is unanswered, until all are answered or patience is over.
    func finish() {
        guard lastAsked == nil, !hasEnded else { return }
        lastAsked = meters.map(\.newest)
        waiting = meters.indices.count { endings[$0] == nil && isOpen($0) }
        if waiting == 0 { return endSoon() }
        deadline = context.loop.schedule(after: context.program.timeout) { [unowned self] in
            // Answers that are here already count, although a busy machine has not let this process read them.
            for number in sockets.indices { read(number) }
            endSoon()
        }
    }

    private func endSoon() {
        if let deadline { context.loop.cancel(deadline) }
        deadline = context.loop.schedule(at: context.loop.now) { [unowned self] in
            guard !hasEnded else { return }
            onEnd(close())
        }
    }

    /// Lets go of sockets and timers. The figures as they stand.
    func close() -> TrafficResult {
        hasEnded = true
        for timer in [timer, deadline].compactMap(\.self) { context.loop.cancel(timer) }
        let now = context.loop.now
        var listed: [FlowResult] = []
        var disturbed: [FlowResult] = []
        var further = FurtherFlows()
        var unopened = 0
        for flow in meters.indices {
            guard meters[flow].sent > 0 else {
                unopened += 1
                continue
            }
            let result = result(of: flow, at: now)
            if result.outcome != .survived, listed.count < Self.mostListed {
                listed.append(result)
            } else if result.isDisturbed, disturbed.count < Self.mostListed {
                disturbed.append(result)
            } else {
                further.add(result)
            }
        }
        if unopened > 0, problem == nil || skipped == 0 { skip("\(unopened) flows never asked", unopened) }
        for result in disturbed {
            if listed.count < Self.mostListed { listed.append(result) } else { further.add(result) }
        }
        if garbage > 0, problem == nil { problem = "\(garbage) datagrams answered nothing that was asked" }
        for socket in sockets {
            context.loop.unwatch(socket.descriptor)
            socket.close()
        }
        sockets = []
        return TrafficResult(
            program: context.program, flows: listed, late: schedule.late, skipped: skipped, problem: problem,
            further: further.count > 0 ? further : nil)
    }

    private func result(of flow: Int, at now: Instant) -> FlowResult {
        let meter = meters[flow]
        var ending = endings[flow]?.ending ?? .survived
        if endings[flow] == nil, lastAsked != nil, meter.hasTimedOut(at: now) {
            ending = .timedOut(context.program, waitingFor: "answer")
        }
        let end = endings[flow]?.at ?? now
        let (port, source) = origin(of: flow)
        return context.result(
            source: Endpoint(address: source.map { .ipv4($0) } ?? ownAddress, port: ports[port]),
            start: schedule.firstDue(of: flow), end: end,
            reading: meter.reading(endedAt: end, outcome: ending.outcome, lastCounted: lastAsked?[flow]),
            ending: ending, garbage: meter.unasked)
    }
}

extension FlowResult {
    fileprivate var isDisturbed: Bool {
        outcome != .survived || lost > 0 || duplicated > 0 || reordered > 0 || garbage > 0
    }
}

extension IPv4Network {
    /// The addresses that hosts may have, from the first on.
    fileprivate func addresses(atMost count: Int) -> [IPv4Address] {
        let size = min(hosts.lowerBound.distance(to: hosts.upperBound) + 1, max(1, count))
        return (0..<size).map { hosts.lowerBound.advanced(by: $0) }
    }
}
