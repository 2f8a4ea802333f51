public import Appliances
internal import Dataplane
public import EventLoop
internal import Glibc
public import LabEvents
internal import LabTime

/// Runs an appliance on the interfaces of a network namespace: frames in, frames out, timers, commands.
///
/// All on the loop's thread. One `process` call takes all frames that wait, up to a batch; what it enqueued is
/// transmitted before the slots go back to the ring and before its events are told, so no event is earlier than the
/// frames that belong to it.
public final class BoxRunner<Box: Appliance & ~Copyable> {
    /// Most frames of one `process` call: enough to share the cost of a system call, few enough for the cache.
    private static var batchSize: Int { 128 }
    /// Most batches of one turn of the loop, so that commands and other descriptors have their turn under a flood.
    private static var mostBatches: Int { 8 }

    private var appliance: Box
    private var socket: PacketSocket
    private var output: FrameQueue
    private let frames: UnsafeMutableBufferPointer<Frame>
    private let loop: EventLoop
    private let onEvents: ([ApplianceEvent]) -> Void
    private var alarm: (instant: Instant, timer: EventLoop.Timer)?
    private var isRunning = false
    /// Within a call of the appliance, or while its events are told.
    private var isWorking = false

    /// Opens the box's packet socket in the network namespace of the calling thread; nothing runs yet, and frames that
    /// arrive meanwhile wait in the ring.
    /// - Parameters:
    ///   - ports: in the order of the appliance's ports
    ///   - onEvents: told what happened, in order, after the frames of the same call were sent; not called for nothing
    public init(
        _ appliance: consuming Box, ports: [PortInterfaces], options: PacketSocketOptions = PacketSocketOptions(),
        on loop: EventLoop, onEvents: @escaping ([ApplianceEvent]) -> Void
    ) throws(PacketSocketError) {
        socket = try PacketSocket(ports: ports, options: options, controlChannel: appliance.controlChannel)
        // Small slots where they do, for the processor's caches.
        let isShort = socket.longestFrame + FrameQueue.longestFrame - FrameQueue.largestMTU <= 2048
        output = FrameQueue(capacity: 1024, slots: 512, slotSize: isShort ? 2048 : FrameQueue.longestFrame)
        self.appliance = appliance
        self.loop = loop
        self.onEvents = onEvents
        frames = .allocate(capacity: Self.batchSize)
    }

    deinit {
        stop()
        frames.deallocate()
    }

    /// Starts the appliance and serves its ports from the loop.
    public func start() throws(PacketSocketError) {
        guard !isRunning else { return }
        do {
            for descriptor in socket.descriptors {
                try loop.watch(descriptor) { [weak self] readiness in
                    if readiness.contains(.error) { self?.socket.clearError() }
                    self?.drain()
                }
            }
        } catch {
            throw .refused(step: "watch the packet socket", error)
        }
        isRunning = true
        socket.waitForTransmission()
        appliance.start(at: loop.now, into: &output)
        finish()
    }

    /// Leaves the ports alone from now on. The socket closes with the runner.
    public func stop() {
        guard isRunning else { return }
        isRunning = false
        for descriptor in socket.descriptors { loop.unwatch(descriptor) }
        if let alarm { loop.cancel(alarm.timer) }
        alarm = nil
    }

    /// Has the appliance carry out a command; its frames have been sent when this returns.
    ///
    /// Frames that came before the command are handled before it: a box that hands over its role after it had to wait
    /// for the processor would otherwise drop what it should have forwarded.
    public func perform(_ command: ApplianceCommand) -> ApplianceReply {
        guard isRunning else { return .refused(reason: "the box does not run") }
        drain()
        return carryOut(command)
    }

    private func carryOut(_ command: ApplianceCommand) -> ApplianceReply {
        guard isRunning else { return .refused(reason: "the box does not run") }
        let wasWorking = isWorking
        isWorking = true
        defer { isWorking = wasWorking }
        let reply = appliance.perform(command, at: loop.now, into: &output)
        finish()
        return reply
    }

    /// Tells the appliance that a port gained or lost its carrier. The socket itself needs no repair: it is bound to no
    /// interface, and hears one again as soon as it is up.
    ///
    /// At once, and not behind the frames that wait: a box that comes up with a pulled cable must not take the role on
    /// hearing its peer.
    /// - Parameter port: the wire interface's name
    public func carrierChanged(port: String, isUp: Bool) {
        // What the box says first on a link that came back must not be lost.
        if isUp { socket.waitForTransmission() }
        _ = carryOut(.carrier(port: port, isUp: isUp))
    }

    /// The appliance's counters, then the socket's.
    public var counters: [CounterReading] { appliance.counters + socket.counters.readings }

    private func drain() {
        // Whoever hears of an event may give a command: what came meanwhile is not told before that event's others.
        guard !isWorking else { return }
        isWorking = true
        defer { isWorking = false }
        for _ in 0..<Self.mostBatches {
            guard isRunning else { return }
            let count = socket.receive(into: frames)
            guard count > 0 else {
                // Slots of frames that are no port's are taken too.
                socket.giveBack()
                return
            }
            let now = loop.now
            appliance.process(UnsafeBufferPointer(start: frames.baseAddress, count: count), at: now, into: &output)
            // Under a flood the loop's own timers would come late by a whole turn.
            if let deadline = appliance.deadline, deadline <= now { appliance.advance(to: now, into: &output) }
            finish()
            // Looking into the ring is a memory access, and epoll a system call that the sender's processor waits for.
        }
    }

    private func alarmFired() {
        alarm = nil
        guard isRunning else { return }
        isWorking = true
        defer { isWorking = false }
        let now = loop.now
        if let deadline = appliance.deadline, deadline <= now { appliance.advance(to: now, into: &output) }
        finish()
    }

    /// After every call of the appliance: frames, then slots, then the timer, then events. Events are last because
    /// whoever hears of one may give the next command at once.
    private func finish() {
        if output.count > 0 {
            socket.transmit(output)
            output.removeAll()
        }
        socket.giveBack()
        setAlarm()
        let events = appliance.takeEvents()
        if !events.isEmpty { onEvents(events) }
    }

    private func setAlarm() {
        guard let deadline = appliance.deadline else {
            if let alarm { loop.cancel(alarm.timer) }
            alarm = nil
            return
        }
        // A deadline that moved away is looked at again when the earlier alarm rings: timers that every frame pushes
        // on would otherwise be set anew for every batch.
        if let alarm {
            guard deadline < alarm.instant else { return }
            loop.cancel(alarm.timer)
        }
        alarm = (deadline, loop.schedule(at: deadline) { [weak self] in self?.alarmFired() })
    }
}
