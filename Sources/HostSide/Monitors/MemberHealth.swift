internal import Configuration
internal import Mutants

/// A member's state by its monitor's answers.
///
/// A member counts as up until its monitor has failed `fall` times in a row: a service that has just been started
/// serves at once, and a member that was never there is out after `fall` checks.
struct MemberHealth: Hashable, Sendable {
    private(set) var isUp = true
    /// Answers in a row that speak against the present state.
    private var contrary = 0
    private let fall: Int
    private let rise: Int

    init(_ monitor: MonitorConfiguration) {
        fall = max(monitor.fall, 1)
        rise = max(monitor.rise, 1)
    }

    /// Takes one answer; returns whether the member's state changed by it.
    mutating func note(success: Bool) -> Bool {
        guard success != isUp else {
            contrary = 0
            return false
        }
        contrary += 1
        if isUp, Mutant.isOn(.monitorNeverMarksDown) { return false }
        guard contrary >= (isUp ? fall : rise) else { return false }
        isUp.toggle()
        contrary = 0
        return true
    }
}
