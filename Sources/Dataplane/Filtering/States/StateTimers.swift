/// How long a state without packets is kept, for each timer.
public struct StateTimers: Hashable, Sendable, Codable {
    public var firstPacket: Duration
    public var opening: Duration
    public var established: Duration
    public var closing: Duration
    public var finWait: Duration
    public var closed: Duration
    public var udpFirstPacket: Duration
    public var udpSingle: Duration
    public var udpMultiple: Duration
    public var icmpFirstPacket: Duration
    public var icmpErrorReply: Duration

    /// In whole seconds; UDP and ICMP have the times that all three profiles share.
    private init(first: Int, opening: Int, established: Int, closing: Int, finWait: Int, closed: Int) {
        firstPacket = .seconds(first)
        self.opening = .seconds(opening)
        self.established = .seconds(established)
        self.closing = .seconds(closing)
        self.finWait = .seconds(finWait)
        self.closed = .seconds(closed)
        udpFirstPacket = .seconds(60)
        udpSingle = .seconds(30)
        udpMultiple = .seconds(60)
        icmpFirstPacket = .seconds(20)
        icmpErrorReply = .seconds(10)
    }

    /// pf's defaults. Source: pf.conf(5), `set timeout`
    public static let pf = StateTimers(
        first: 120, opening: 30, established: 86_400, closing: 900, finWait: 45, closed: 90)

    /// Source: NSX 4.1, gateway firewall, default session timer values
    public static let nsxGateway = StateTimers(
        first: 120, opening: 30, established: 7200, closing: 900, finWait: 4, closed: 2)

    /// Source: NSX 4.1, distributed firewall, default session timer values
    public static let nsxDistributed = StateTimers(
        first: 120, opening: 30, established: 43_200, closing: 120, finWait: 45, closed: 20)

    public subscript(timer: StateTimer) -> Duration {
        get {
            switch timer {
            case .firstPacket: firstPacket
            case .opening: opening
            case .established: established
            case .closing: closing
            case .finWait: finWait
            case .closed: closed
            case .udpFirstPacket: udpFirstPacket
            case .udpSingle: udpSingle
            case .udpMultiple: udpMultiple
            case .icmpFirstPacket: icmpFirstPacket
            case .icmpErrorReply: icmpErrorReply
            }
        }
        set {
            switch timer {
            case .firstPacket: firstPacket = newValue
            case .opening: opening = newValue
            case .established: established = newValue
            case .closing: closing = newValue
            case .finWait: finWait = newValue
            case .closed: closed = newValue
            case .udpFirstPacket: udpFirstPacket = newValue
            case .udpSingle: udpSingle = newValue
            case .udpMultiple: udpMultiple = newValue
            case .icmpFirstPacket: icmpFirstPacket = newValue
            case .icmpErrorReply: icmpErrorReply = newValue
            }
        }
    }

    /// Every timer divided, for labs that take seconds: the relations between the timers stay.
    public func scaled(downBy divisor: Int) -> StateTimers {
        var timers = self
        for timer in StateTimer.allCases { timers[timer] = self[timer] / divisor }
        return timers
    }
}
