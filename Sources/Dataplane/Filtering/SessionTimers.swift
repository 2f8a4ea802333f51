public import LabTime
public import Wire

/// How long a session without packets is remembered, by the state that its last packet left it in.
public struct SessionTimers: Hashable, Sendable {
    /// TCP: only the first packet was seen.
    public var first: Duration
    /// TCP: a side has not completed the handshake.
    public var opening: Duration
    public var established: Duration
    /// TCP: one side has sent its FIN.
    public var closing: Duration
    /// TCP: both sides have sent their FIN.
    public var finWait: Duration
    /// TCP: both FINs were acknowledged, or one side reset.
    public var closed: Duration
    /// UDP and others: only one side has spoken.
    public var connectionlessSingle: Duration
    /// UDP and others: both have.
    public var connectionlessMultiple: Duration
    /// ICMP echo.
    public var echo: Duration

    public init(
        first: Duration, opening: Duration, established: Duration, closing: Duration, finWait: Duration,
        closed: Duration, connectionlessSingle: Duration, connectionlessMultiple: Duration, echo: Duration
    ) {
        self.first = first
        self.opening = opening
        self.established = established
        self.closing = closing
        self.finWait = finWait
        self.closed = closed
        self.connectionlessSingle = connectionlessSingle
        self.connectionlessMultiple = connectionlessMultiple
        self.echo = echo
    }

    /// What this project's firewall uses: pf's, with the UDP and ICMP times of RFC 4787 and RFC 5508 as minima.
    public static let standard = SessionTimers(
        first: .seconds(120), opening: .seconds(30), established: .seconds(86_400), closing: .seconds(900),
        finWait: .seconds(45), closed: .seconds(90), connectionlessSingle: .seconds(120),
        connectionlessMultiple: .seconds(300), echo: .seconds(60))

    /// pf's defaults.
    public static let pf = SessionTimers(
        first: .seconds(120), opening: .seconds(30), established: .seconds(86_400), closing: .seconds(900),
        finWait: .seconds(45), closed: .seconds(90), connectionlessSingle: .seconds(60),
        connectionlessMultiple: .seconds(60), echo: .seconds(20))

    /// NSX gateway firewall 4.1.
    public static let nsxGateway = SessionTimers(
        first: .seconds(120), opening: .seconds(30), established: .seconds(7200), closing: .seconds(900),
        finWait: .seconds(4), closed: .seconds(2), connectionlessSingle: .seconds(30),
        connectionlessMultiple: .seconds(60), echo: .seconds(20))

    /// NSX distributed firewall.
    public static let nsxDistributed = SessionTimers(
        first: .seconds(120), opening: .seconds(30), established: .seconds(43_200), closing: .seconds(120),
        finWait: .seconds(45), closed: .seconds(20), connectionlessSingle: .seconds(30),
        connectionlessMultiple: .seconds(60), echo: .seconds(10))

    /// The timer of a session by its protocol and state. Source: pf, `pf_test_state`
    /// - Parameter controlProtocol: the ICMP of the session's family
    @inlinable
    public func timeout(
        of state: SessionState, protocol: IPProtocol, controlProtocol: IPProtocol = .icmp
    ) -> Duration {
        guard `protocol` == .tcp else {
            if `protocol` == controlProtocol { return echo }
            return state.reply == .closed ? connectionlessSingle : connectionlessMultiple
        }
        let lesser = min(state.original, state.reply)
        let greater = max(state.original, state.reply)
        if lesser >= .finWait2 { return closed }
        if lesser >= .closing { return finWait }
        if state == .opening { return first }
        if lesser < .established { return opening }
        if greater >= .closing { return closing }
        return established
    }
}
