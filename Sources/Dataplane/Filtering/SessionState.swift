public import Wire

/// The states of both sides of a session, and what a packet does to them.
public struct SessionState: Hashable, Sendable, BitwiseCopyable {
    /// The side that sent the first packet.
    public var original: SideState
    public var reply: SideState

    @inlinable
    public init(original: SideState, reply: SideState) {
        self.original = original
        self.reply = reply
    }

    @inlinable
    public static func == (a: SessionState, b: SessionState) -> Bool {
        a.original.rawValue == b.original.rawValue && a.reply.rawValue == b.reply.rawValue
    }

    /// After the first packet.
    @inlinable public static var opening: SessionState { SessionState(original: .synSent, reply: .closed) }

    /// Whether both sides finished, so that a new SYN may open the same five-tuple again.
    @inlinable public var isFinished: Bool { original >= .finWait2 && reply >= .finWait2 }

    /// A TCP packet of a known session passed.
    ///
    /// | the packet has | sender | other side |
    /// |---|---|---|
    /// | RST | TIME_WAIT | TIME_WAIT |
    /// | SYN | CLOSED → SYN_SENT | |
    /// | ACK | | SYN_SENT → ESTABLISHED, CLOSING → FIN_WAIT_2 |
    /// | ACK without SYN, the other side has spoken | → ESTABLISHED | |
    /// | FIN | → CLOSING | |
    ///
    /// The fourth row is what a box needs that took over in the middle of a handshake: it may never see the SYN-ACK.
    @inlinable
    public mutating func update(by flags: TCPFlags, from direction: FlowDirection) {
        var sender = direction == .original ? original : reply
        var other = direction == .original ? reply : original
        if flags.contains(.rst) {
            sender = .timeWait
            other = .timeWait
        } else {
            if flags.contains(.syn), sender < .synSent { sender = .synSent }
            if flags.contains(.ack) {
                if other == .synSent { other = .established } else if other == .closing { other = .finWait2 }
                if !flags.contains(.syn), sender < .established, other >= .synSent { sender = .established }
            }
            if flags.contains(.fin), sender < .closing { sender = .closing }
        }
        if direction == .original {
            original = sender
            reply = other
        } else {
            reply = sender
            original = other
        }
    }

    /// A packet of a protocol without connections passed.
    @inlinable
    public mutating func updateConnectionless(from direction: FlowDirection) {
        if direction == .original {
            if reply != .closed { original = .established }
        } else {
            reply = reply == .closed ? .synSent : .established
            if original == .synSent { original = .established }
        }
    }
}

extension SessionState: CustomStringConvertible {
    /// `source:destination` as pf shows it.
    public var description: String { "\(original):\(reply)" }
}
