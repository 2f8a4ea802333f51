import LabTime
import Mutants
import Wire

extension StateTable {
    mutating func evaluateTCP(_ packet: PacketView, _ place: Crossing, at now: Instant) -> StateJudgement {
        let flags = packet.tcpFlags
        // A SYN never comes with FIN or RST, and only RST, SYN and ACK begin or carry anything.
        if flags.contains(.syn), !flags.isDisjoint(with: [.fin, .rst]) {
            return StateJudgement(.drop(.invalidTCPState))
        }
        if flags.isDisjoint(with: [.syn, .ack, .rst]) { return StateJudgement(.drop(.invalidTCPState)) }
        // The parse vouches for a complete header of whatever is TCP and no fragment.
        guard let segment = packet.tcp else { return StateJudgement(.drop(.malformedTransport)) }
        let length = UInt32(truncatingIfNeeded: packet.layout.payloadLength)
        guard let match = table.find(packet.fiveTuple) else {
            return openTCP(packet.fiveTuple, segment, length, place, at: now)
        }
        let states = table[match.index].states
        if flags.isInitialSYN, states.isFinished {
            // The ports are used again; nothing but a SYN may do that. Source: pf, `pf_test_state_tcp`
            table.remove(match.index)
            reused &+= 1
            return openTCP(packet.fiveTuple, segment, length, place, at: now)
        }
        return profile.tracksWindows
            ? evaluateByWindows(match, segment, length, at: now) : evaluateByStates(match, flags, at: now)
    }

    private mutating func openTCP(
        _ flow: FiveTuple, _ segment: TCPHeader, _ length: UInt32, _ place: Crossing, at now: Instant
    ) -> StateJudgement {
        let flags = segment.flags
        guard flags.isInitialSYN || midStreamPickup == .loose || Mutant.isOn(.picksUpAnything) else {
            return StateJudgement(.drop(.notSYN))
        }
        var original = StateSide(.synSent, hasSpoken: true)
        if profile.tracksWindows {
            original.begin(with: segment, length: length)
        } else if flags.contains(.rst) {
            // Nothing is left to follow.
            return StateJudgement(.pass)
        } else if flags.contains(.fin) {
            original.state = .closing
        }
        let entry = StateEntry(
            original: original, reply: StateSide(.closed, hasSpoken: false), on: place, timer: .firstPacket,
            beganWithSYN: flags.isInitialSYN)
        return open(flow, entry, at: now)
    }

    // MARK: By states alone

    private mutating func evaluateByStates(
        _ match: FlowMatch, _ flags: TCPFlags, at now: Instant
    ) -> StateJudgement {
        var entry = table[match.index]
        let old = entry.states
        let sender = match.direction == .original ? entry.original : entry.reply
        // A connection begins anew while the table still has the end of the last one.
        if flags.contains(.syn), sender.state >= .closing { return outOfState(match.index) }
        // A SYN is answered by a SYN-ACK, by a SYN, or by a reset.
        if entry.beganWithSYN, match.direction == .reply, !sender.hasSpoken,
            flags.isDisjoint(with: [.syn, .rst])
        {
            return outOfState(match.index)
        }
        if match.direction == .original {
            StateSide.follow(flags, from: &entry.original, to: &entry.reply)
        } else {
            StateSide.follow(flags, from: &entry.reply, to: &entry.original)
        }
        let timer = StateTimer.tcp(entry.original.state, entry.reply.state)
        return write(entry, to: match.index, from: old, timer: timer, at: now)
    }
}

extension StateSide {
    /// What a packet does to both sides where no sequence numbers are followed.
    ///
    /// | the packet has | sender | other side |
    /// |---|---|---|
    /// | anything | CLOSED → SYN_SENT | |
    /// | ACK without SYN, the other side was never seen | SYN_SENT → ESTABLISHED | → ESTABLISHED |
    /// | FIN | → CLOSING | |
    /// | ACK | | SYN_SENT → ESTABLISHED, CLOSING → FIN_WAIT_2 |
    /// | ACK of a sender that is CLOSING, the other side was never seen | | ESTABLISHED → CLOSING |
    /// | RST | → TIME_WAIT | → TIME_WAIT |
    ///
    /// Source: pf, `pf_tcp_track_sloppy`, whose rules for half-seen connections these are
    static func follow(_ flags: TCPFlags, from sender: inout StateSide, to other: inout StateSide) {
        if !sender.hasSpoken {
            sender.hasSpoken = true
            if sender.state < .synSent { sender.state = .synSent }
        }
        if flags.contains(.rst) {
            sender.state = .timeWait
            other.state = .timeWait
            return
        }
        if flags.contains(.ack), !flags.contains(.syn), !other.hasSpoken, other.state == .closed,
            sender.state == .synSent
        {
            sender.state = .established
            other.state = .established
        }
        if flags.contains(.fin), sender.state < .closing, !Mutant.isOn(.ignoresFIN) { sender.state = .closing }
        guard flags.contains(.ack) else { return }
        switch other.state {
        case .synSent: other.state = .established
        case .closing: other.state = .finWait2
        case .established where !other.hasSpoken && sender.state >= .closing: other.state = .closing
        default: break
        }
    }
}
