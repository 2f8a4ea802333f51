/// The state of one side of a session, as the pf state machine has it.
///
/// TCP uses all of it. UDP, ICMP echo and other protocols without connections use `closed` (has not spoken), `synSent`
/// (one packet) and `established` (several).
/// Ordered: comparisons such as "at least closing" are part of the state machine.
public enum SideState: UInt8, Comparable, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    case closed
    case synSent
    case established
    case closing
    case finWait2
    case timeWait

    @inlinable public static func < (a: SideState, b: SideState) -> Bool { a.rawValue < b.rawValue }
}

extension SideState: CustomStringConvertible {
    /// As pf shows it: `CLOSING`, `FIN_WAIT_2`.
    public var description: String {
        switch self {
        case .closed: "CLOSED"
        case .synSent: "SYN_SENT"
        case .established: "ESTABLISHED"
        case .closing: "CLOSING"
        case .finWait2: "FIN_WAIT_2"
        case .timeWait: "TIME_WAIT"
        }
    }
}
