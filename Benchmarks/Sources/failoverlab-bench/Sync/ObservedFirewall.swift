internal import Appliances
internal import Dataplane
internal import LabEvents
internal import LabTime
internal import Redundancy

/// What another thread sees of a box: written by the box's thread after each call, never read back there.
final class BoxObservation {
    struct Seen {
        /// The first member: the generator, which is C, reads it.
        var sessions = 0
        var isActive = false
        /// The peer has consumed every record of every session.
        var isPeerUpToDate = false
        /// When there were `goal` sessions, in nanoseconds of the monotonic clock; 0 before.
        var reachedAt: Int64 = 0
    }

    let memory: UnsafeMutablePointer<Seen>
    let goal: Int

    init(goal: Int) {
        self.goal = goal
        memory = .allocate(capacity: 1)
        memory.initialize(to: Seen())
    }

    deinit { memory.deallocate() }

    var seen: Seen { memory.pointee }
}

/// A firewall that lets another thread see how many sessions it knows.
struct ObservedFirewall: ~Copyable, Appliance {
    private var firewall: Firewall
    private let memory: UnsafeMutablePointer<BoxObservation.Seen>
    private let goal: Int
    private let sharesRing: Bool
    private let clock: () -> Instant

    /// - Parameter observation: must outlive the box
    init(
        _ firewall: consuming Firewall, _ observation: BoxObservation, sharesRing: Bool = false,
        clock: @escaping () -> Instant
    ) {
        self.sharesRing = sharesRing
        self.firewall = firewall
        memory = observation.memory
        goal = observation.goal
        self.clock = clock
    }

    private func publish() {
        memory.pointee.sessions = firewall.sessionCount
        memory.pointee.isActive = firewall.role == .active
        memory.pointee.isPeerUpToDate = firewall.isPeerUpToDate
        if memory.pointee.reachedAt == 0, firewall.sessionCount >= goal {
            memory.pointee.reachedAt = clock().nanoseconds
        }
    }

    mutating func start(at now: Instant, into output: inout FrameQueue) {
        firewall.start(at: now, into: &output)
        publish()
    }

    mutating func process(_ frames: UnsafeBufferPointer<Frame>, at now: Instant, into output: inout FrameQueue) {
        firewall.process(frames, at: now, into: &output)
        publish()
    }

    var deadline: Instant? { firewall.deadline }

    mutating func advance(to now: Instant, into output: inout FrameQueue) {
        firewall.advance(to: now, into: &output)
        publish()
    }

    mutating func perform(_ command: ApplianceCommand, at now: Instant, into output: inout FrameQueue) -> ApplianceReply
    {
        firewall.perform(command, at: now, into: &output)
    }

    mutating func takeEvents() -> [ApplianceEvent] { firewall.takeEvents() }
    var controlChannel: ControlChannelFrames? { sharesRing ? nil : firewall.controlChannel }
    var counters: [CounterReading] { firewall.counters }
}
