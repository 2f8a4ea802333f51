internal import Configuration
internal import LabTime
internal import NIOCore
internal import Synchronization

/// Asks the members of one service again and again, each at the monitor's interval, and reports changes.
///
/// An interval counts from the beginning of one check to that of the next; a check that takes longer than the
/// interval is followed at once, and no two checks of a member overlap.
final class HealthMonitor: Sendable {
    private let service: VirtualServiceConfiguration
    private let monitor: MonitorConfiguration
    private let eventLoop: any EventLoop
    private let onChange: @Sendable (MemberChange) -> Void
    private let isStopped = Atomic(false)

    init(
        _ service: VirtualServiceConfiguration, _ monitor: MonitorConfiguration, on eventLoop: any EventLoop,
        onChange: @escaping @Sendable (MemberChange) -> Void
    ) {
        self.service = service
        self.monitor = monitor
        self.eventLoop = eventLoop
        self.onChange = onChange
    }

    /// Begins to ask. Each future succeeds with the first answer of a member, whatever it is.
    func start() -> [EventLoopFuture<Void>] {
        service.members.map { member in
            let answered = eventLoop.makePromise(of: Void.self)
            eventLoop.execute { [self] in check(member, MemberHealth(monitor), first: answered) }
            return answered.futureResult
        }
    }

    /// No check begins and no change is reported after the event loop's present turn.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
    }

    /// - Parameter first: of a member that has not answered yet
    private func check(
        _ member: PoolMemberConfiguration, _ health: MemberHealth, first: EventLoopPromise<Void>? = nil
    ) {
        guard !isStopped.load(ordering: .relaxed) else {
            first?.succeed()
            return
        }
        let next = NIODeadline.now() + TimeAmount(monitor.interval)
        HealthCheck(monitor: monitor, member: member).ask(on: eventLoop).whenSuccess { [self] answer in
            defer { first?.succeed() }
            guard !isStopped.load(ordering: .relaxed) else { return }
            var health = health
            if health.note(success: answer.isHealthy) {
                onChange(
                    MemberChange(service: service.name, member: member.name, isUp: health.isUp, reason: answer.reason))
            }
            let settled = health
            eventLoop.scheduleTask(deadline: next) { [self] in check(member, settled) }
        }
    }
}
