public import Wire

/// One side of a connection as a state table follows it.
public struct StateSide: BitwiseCopyable, Sendable {
    public internal(set) var state: SideState
    /// Whether a packet of this side was seen.
    var hasSpoken: Bool
    /// The end of what this side has sent.
    var low: UInt32 = 0
    /// The end of what the other side lets it send.
    var high: UInt32 = 1
    /// The largest window that this side announced, without its scale.
    var largestWindow: UInt32 = 1
    /// Shift of this side's window; nil where it did not announce one.
    var scale: UInt8?

    init(_ state: SideState, hasSpoken: Bool) {
        self.state = state
        self.hasSpoken = hasSpoken
    }
}

/// What a gateway firewall remembers of a connection beside its five-tuples.
public struct StateEntry: BitwiseCopyable, Sendable {
    /// The side that sent the first packet.
    public internal(set) var original: StateSide
    public internal(set) var reply: StateSide
    /// The interface that filtered the first packet, and how the packet crossed it.
    public let port: PortIndex
    public let direction: StateDirection
    public internal(set) var timer: StateTimer
    /// The first packet was a SYN: the handshake can be judged.
    let beganWithSYN: Bool
    /// Whether it has ever been CLOSING:CLOSED.
    public internal(set) var hasBeenClosingClosed: Bool

    public var states: SessionState { SessionState(original: original.state, reply: reply.state) }

    /// `CLOSING:CLOSED` for TCP; pf's words for the others: `SINGLE:NO_TRAFFIC`, `MULTIPLE:MULTIPLE`.
    public func words(of proto: IPProtocol) -> String { states.words(of: proto) }
}

extension SessionState {
    /// What a delayed FIN leaves behind.
    public static var closingClosed: SessionState { SessionState(original: .closing, reply: .closed) }

    public func words(of proto: IPProtocol) -> String {
        if proto == .tcp { return description }
        func word(_ state: SideState) -> String {
            switch state {
            case .closed: "NO_TRAFFIC"
            case .synSent: "SINGLE"
            default: "MULTIPLE"
            }
        }
        return "\(word(original)):\(word(reply))"
    }
}

/// What a state table says about a packet, and what the packet did to it.
public struct StateJudgement: Sendable {
    public enum Verdict: Hashable, Sendable {
        case pass
        case drop(DropReason)
        /// It does not fit the state that it met: dropped, and the sender is told as the policy says.
        case outOfState(OutOfStatePolicy)
    }

    public enum Change: Hashable, Sendable {
        case none
        case created(SessionState)
        case moved(from: SessionState, to: SessionState)
    }

    public var verdict: Verdict
    /// The state that it made or met; nil where there is none.
    public var index: FlowIndex?
    public var change: Change

    init(_ verdict: Verdict, _ index: FlowIndex? = nil, _ change: Change = .none) {
        self.verdict = verdict
        self.index = index
        self.change = change
    }
}
