import Dataplane
import LabTime
import Wire

/// What a session engine reported, in order.
struct SessionReports<Family: AddressFamily>: SessionObserver, Equatable {
    enum Report: Hashable {
        case opened(FlowIndex, isBlocked: Bool)
        case changed(FlowIndex, SessionChange)
        case ended(FlowKey<Family>)
    }

    private(set) var all: [Report] = []

    mutating func sessionOpened(_ index: FlowIndex, isBlocked: Bool, at now: Instant) {
        all.append(.opened(index, isBlocked: isBlocked))
    }

    mutating func sessionChanged(_ index: FlowIndex, _ change: SessionChange, at now: Instant) {
        all.append(.changed(index, change))
    }

    mutating func sessionEnded(_ flow: FlowKey<Family>) { all.append(.ended(flow)) }

    mutating func take() -> [Report] {
        defer { all = [] }
        return all
    }

    /// What a peer is to be sent of the sessions that were reported: ends first.
    mutating func takeRecords(of engine: borrowing SessionEngine<Family>, at now: Instant) -> [SyncRecord<Family>] {
        var (ended, changed): ([SyncRecord<Family>], [SyncRecord<Family>]) = ([], [])
        for report in take() {
            switch report {
            case .ended(let flow):
                // Opened again since: that session's own record replaces this one.
                if engine.table.find(flow)?.direction != .original { ended.append(.removal(flow)) }
            case .opened(let index, _), .changed(let index, _):
                guard engine.table.contains(index), engine.isReplicated(index) else { continue }
                changed.append(.session(engine.record(of: index, at: now)))
            }
        }
        return ended + changed
    }
}

// For tests in which nobody follows the sessions.
extension SessionEngine {
    mutating func evaluate(
        _ layout: IPLayout<Family>, in packet: UnsafeRawPointer, from port: PortIndex, at now: Instant
    ) -> FilterVerdict {
        var reports = SessionReports<Family>()
        return evaluate(layout, in: packet, from: port, at: now, reporting: &reports)
    }

    mutating func advance(to now: Instant) {
        var reports = SessionReports<Family>()
        advance(to: now, reporting: &reports)
    }

    @discardableResult
    mutating func install(_ rules: [IPFilterRule<Family>], otherwise: FilterAction) -> Int {
        var reports = SessionReports<Family>()
        return install(rules, otherwise: otherwise, reporting: &reports)
    }

    mutating func install(
        pools: [IPNATPool<Family>], former: [IPNATPool<Family>] = [], rules: [IPNATRule<Family>], timers: SessionTimers,
        at now: Instant
    ) {
        var reports = SessionReports<Family>()
        install(pools: pools, former: former, rules: rules, timers: timers, at: now, reporting: &reports)
    }

    /// What a peer would be sent that knows nothing: each session, and what it has announced.
    func allRecords(at now: Instant) -> [SyncRecord<Family>] {
        var records: [SyncRecord<Family>] = []
        var next = table.next(after: nil)
        while let index = next {
            next = table.next(after: index)
            guard isReplicated(index) else { continue }
            records.append(.session(record(of: index, at: now)))
            if let pinhole = pinholeRecord(of: index, at: now) { records.append(.pinhole(pinhole)) }
        }
        return records
    }

    /// Adopts records of a peer.
    mutating func adopt(_ records: [SyncRecord<Family>], at now: Instant) {
        for record in records {
            switch record {
            case .session(let session): _ = adopt(session, onlyNew: false, at: now)
            case .pinhole(let pinhole): _ = adopt(pinhole, at: now)
            case .metadata(let metadata): adopt(metadata)
            case .removal(let flow): if let match = table.find(flow) { discard(match.index) }
            }
        }
    }
}
