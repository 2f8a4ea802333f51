public import Dataplane
public import LabTime

/// Drives an appliance on its links: frames, commands, changes of carrier and time in; frames, the next deadline and
/// events out. The same for real links and for a virtual network.
///
/// The order of what happens:
///
/// | input | what the appliance does, in order |
/// |---|---|
/// | frames that wait (`receive`) | one `process` call for a batch of them, then the timers that are due by then |
/// | a deadline (`advance`) | the timers that are due |
/// | a command (`perform`) | the frames that arrived before it, batch by batch, each as above; then the command |
/// | a change of carrier (`carrierChanged`) | the change at once, ahead of the frames that wait |
///
/// After each single call of the appliance its frames are transmitted, and only then the memory of the frames that came
/// in is released. So events, which the caller takes after a call (`takeEvents`), always follow the frames of the same
/// call, and the reply to a command follows the command's frames.
///
/// Frames precede timers because a box that had to wait for the processor would otherwise take a peer for dead whose
/// heartbeats are in its queue. Frames precede commands because a box that hands over its role would otherwise drop what
/// it should have forwarded. A carrier precedes frames because a box that starts with a pulled cable must not take the
/// role on hearing its peer.
///
/// No frame is copied, and none costs an allocation: what the appliance enqueued is transmitted where it is.
public struct ApplianceDriver<Box: Appliance & ~Copyable, Links: ApplianceLinks & ~Copyable>: ~Copyable {
    /// Most frames of one `process` call: enough to share the cost of a system call, few enough for the cache.
    @inlinable public static var batchSize: Int { 128 }
    /// Most batches before a command, or in one go: commands and other descriptors are served under a flood, too.
    @inlinable public static var mostBatches: Int { 8 }

    public var appliance: Box
    public var links: Links
    public private(set) var isRunning = false
    @usableFromInline var output: FrameQueue
    @usableFromInline let frames: UnsafeMutableBufferPointer<Frame>

    /// - Parameter output: the queue between the appliance and its links
    public init(_ appliance: consuming Box, links: consuming Links, output: consuming FrameQueue) {
        self.appliance = appliance
        self.links = links
        self.output = output
        frames = .allocate(capacity: Self.batchSize)
    }

    deinit { frames.deallocate() }

    /// Starts the appliance. Frames that arrived before are processed after it.
    public mutating func start() {
        guard !isRunning else { return }
        isRunning = true
        appliance.start(at: links.now, into: &output)
        transmit()
    }

    /// From now on nothing is processed, and every command refused.
    public mutating func stop() { isRunning = false }

    /// Processes a batch of the frames that wait, then the timers that are due.
    /// - Returns: false where no frame waited
    @inlinable
    public mutating func receive() -> Bool {
        guard isRunning else { return false }
        let count = links.receive(into: frames)
        guard count > 0 else {
            // Frames that are no port's take memory, too.
            links.release()
            return false
        }
        let now = links.now
        appliance.process(UnsafeBufferPointer(start: frames.baseAddress, count: count), at: now, into: &output)
        // Under a flood the caller's own timers would come late.
        if let deadline = appliance.deadline, deadline <= now { appliance.advance(to: now, into: &output) }
        transmit()
        return true
    }

    /// The next instant at which `advance` has something to do; nil where no timer runs.
    @inlinable public var deadline: Instant? { isRunning ? appliance.deadline : nil }

    /// Fires the timers that are due.
    @inlinable
    public mutating func advance() {
        guard isRunning else { return }
        let now = links.now
        if let deadline = appliance.deadline, deadline <= now { appliance.advance(to: now, into: &output) }
        transmit()
    }

    /// Has the appliance carry out a command; its frames have been sent when this returns.
    /// - Parameter aheadOfFrames: ahead of the frames that wait; where a command comes while events of frames are still
    ///   being reported, so that those of later frames do not precede them
    public mutating func perform(_ command: ApplianceCommand, aheadOfFrames: Bool = false) -> ApplianceReply {
        guard isRunning else { return .refused(reason: "the box does not run") }
        var batches = aheadOfFrames ? 0 : Self.mostBatches
        while batches > 0, receive() { batches -= 1 }
        let reply = appliance.perform(command, at: links.now, into: &output)
        transmit()
        return reply
    }

    /// Any other call of the appliance, with its frames sent after it: for a box whose inside is under test.
    package mutating func call<Result>(
        _ body: (inout Box, Instant, inout FrameQueue) throws -> Result
    ) rethrows -> Result {
        defer { transmit() }
        return try body(&appliance, links.now, &output)
    }

    /// A port gained or lost its carrier.
    /// - Parameter port: its configured name
    public mutating func carrierChanged(port: String, isUp: Bool) {
        _ = perform(.carrier(port: port, isUp: isUp), aheadOfFrames: true)
    }

    /// What happened since the last call, in order; the frames of it have been sent.
    @inlinable public mutating func takeEvents() -> [ApplianceEvent] { appliance.takeEvents() }

    /// Sends what the appliance enqueued, then releases the frames that came in: some of what was sent lies there.
    @inlinable
    mutating func transmit() {
        if output.count > 0 {
            links.transmit(output)
            output.removeAll()
        }
        links.release()
    }
}
