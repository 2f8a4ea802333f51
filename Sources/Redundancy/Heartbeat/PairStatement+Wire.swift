import LabTime
import Wire

extension Heartbeat {
    /// - Parameter sessions: in the sender's table, for people who read a capture
    init(_ statement: PairStatement, interval: Duration, sessions: Int) {
        let role: Role =
            switch statement.role {
            case .initialize: .initializing
            case .backup: .backup
            case .active: .active
            }
        var flags: Flags = []
        if statement.flags.contains(.requestsRole) { flags.insert(.wantsActive) }
        if statement.flags.contains(.yields) { flags.insert(.wantsBackup) }
        if statement.flags.contains(.handsOver) { flags.insert(.leaving) }
        self.init(
            role: role, priority: statement.priority,
            readiness: statement.flags.contains(.knowsSessions) ? .ready : .synchronizing, flags: flags,
            intervalMicroseconds: UInt32(clamping: max(1, interval.nanoseconds / 1000)),
            sessions: UInt32(clamping: sessions),
            roleMilliseconds: UInt32(clamping: statement.roleAge.nanoseconds / 1_000_000))
    }
}

extension PairStatement {
    init(_ heartbeat: Heartbeat, epoch: UInt64, sequence: UInt64) {
        let role: VirtualRouter.State =
            switch heartbeat.role {
            case .initializing: .initialize
            case .backup: .backup
            case .active: .active
            }
        var flags: Flags = []
        if heartbeat.readiness == .ready { flags.insert(.knowsSessions) }
        if heartbeat.flags.contains(.wantsActive) { flags.insert(.requestsRole) }
        if heartbeat.flags.contains(.wantsBackup) { flags.insert(.yields) }
        if heartbeat.flags.contains(.leaving) { flags.insert(.handsOver) }
        self.init(
            epoch: epoch, sequence: sequence, role: role, priority: heartbeat.priority, flags: flags,
            roleAge: .milliseconds(Int64(heartbeat.roleMilliseconds)))
    }
}
