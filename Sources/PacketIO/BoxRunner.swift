public import Appliances
internal import Dataplane
public import EventLoop
public import LabEvents
internal import LabTime

/// Runs an appliance on the interfaces of a network namespace: its driver on a packet socket, with the loop's timers.
///
/// All on the loop's thread. The order of frames, commands, timers and events is the driver's (`ApplianceDriver`).
public final class BoxRunner<Box: Appliance & ~Copyable> {
    private var driver: ApplianceDriver<Box, SocketLinks>
    private let loop: EventLoop
    private let onEvents: ([ApplianceEvent]) -> Void
    private var alarm: (instant: Instant, timer: EventLoop.Timer)?
    /// Within a call of `onEvents`.
    private var isReporting = false

    /// Opens the box's packet socket in the network namespace of the calling thread; nothing runs yet, and frames that
    /// arrive meanwhile wait in the ring.
    /// - Parameters:
    ///   - ports: in the order of the appliance's ports
    ///   - onEvents: receives what happened, in order, after the frames of the same call were sent; not called for
    ///     nothing
    public init(
        _ appliance: consuming Box, ports: [PortInterfaces], options: PacketSocketOptions = PacketSocketOptions(),
        on loop: EventLoop, onEvents: @escaping ([ApplianceEvent]) -> Void
    ) throws(PacketSocketError) {
        let socket = try PacketSocket(ports: ports, options: options, controlChannel: appliance.controlChannel)
        // Small slots where they do, for the processor's caches.
        let isShort = socket.longestFrame + FrameQueue.longestFrame - FrameQueue.largestMTU <= 2048
        driver = ApplianceDriver(
            appliance, links: SocketLinks(socket: socket, loop: loop),
            output: FrameQueue(slots: 512, slotSize: isShort ? 2048 : FrameQueue.longestFrame))
        self.loop = loop
        self.onEvents = onEvents
    }

    deinit { stop() }

    /// Starts the appliance and serves its ports from the loop.
    public func start() throws(PacketSocketError) {
        guard !driver.isRunning else { return }
        do {
            for descriptor in driver.links.socket.descriptors {
                try loop.watch(descriptor) { [weak self] readiness in
                    if readiness.contains(.error) { self?.driver.links.socket.clearError() }
                    self?.drain()
                }
            }
        } catch {
            throw .refused(step: "watch the packet socket", error)
        }
        driver.links.socket.waitForTransmission()
        driver.start()
        finish()
    }

    /// Leaves the ports alone from now on. The socket closes with the runner.
    public func stop() {
        guard driver.isRunning else { return }
        driver.stop()
        for descriptor in driver.links.socket.descriptors { loop.unwatch(descriptor) }
        if let alarm { loop.cancel(alarm.timer) }
        alarm = nil
    }

    /// Has the appliance carry out a command; its frames have been sent when this returns.
    ///
    /// Whoever receives an event may give a command: frames that came meanwhile are processed later, so that their
    /// events are not reported before the rest of that event's.
    public func perform(_ command: ApplianceCommand) -> ApplianceReply {
        let reply = driver.perform(command, aheadOfFrames: isReporting)
        finish()
        return reply
    }

    /// A port gained or lost its carrier. The socket itself needs no repair: it is bound to no interface, and receives
    /// from one again as soon as it is up.
    /// - Parameter port: the wire interface's name
    public func carrierChanged(port: String, isUp: Bool) {
        // What the box sends first on a link that came back must not be lost.
        if isUp { driver.links.socket.waitForTransmission() }
        driver.carrierChanged(port: port, isUp: isUp)
        finish()
    }

    /// The appliance's counters, then the socket's.
    public var counters: [CounterReading] { driver.appliance.counters + driver.links.socket.counters.readings }

    private func drain() {
        guard !isReporting else { return }
        // Looking into the ring is a memory access, and epoll a system call that the sender's processor waits for.
        for _ in 0..<ApplianceDriver<Box, SocketLinks>.mostBatches {
            guard driver.receive() else { return }
            finish()
        }
    }

    private func alarmFired() {
        alarm = nil
        driver.advance()
        finish()
    }

    /// After every call of the driver: the timer, then events. Events are last because whoever receives one may give
    /// the next command at once.
    private func finish() {
        guard driver.isRunning else { return }
        setAlarm()
        let events = driver.takeEvents()
        guard !events.isEmpty else { return }
        let wasReporting = isReporting
        isReporting = true
        defer { isReporting = wasReporting }
        onEvents(events)
    }

    private func setAlarm() {
        guard let deadline = driver.deadline else {
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
