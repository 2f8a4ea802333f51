import LabTime
import Wire

/// How far acknowledgements, and packets at the edges of a connection, may be off: the largest window without scale
/// and one packet. Source: pf, `MAXACKWINDOW`
private let slack: UInt32 = 65_535 + 1500

/// a ≥ b in sequence space. Source: RFC 9293, 3.4
private func isAtOrAfter(_ a: UInt32, _ b: UInt32) -> Bool { Int32(bitPattern: a &- b) >= 0 }

extension StateTable {
    /// Judges a segment by what both sides have sent and let the other send.
    ///
    /// | the segment lies | |
    /// |---|---|
    /// | within both windows | passes, moves states, puts the end off |
    /// | within ± 67 035, while the other side was not seen or a side is FIN_WAIT_2 or further | passes; the end is not put off |
    /// | elsewhere | misfit |
    ///
    /// A reset must meet the sender's next sequence number, give or take one.
    /// Source: pf, `pf_tcp_track_full`; Guido van Rooij, Real Stateful TCP Packet Filtering in IP Filter
    mutating func evaluateByWindows(
        _ match: FlowMatch, _ segment: TCPHeader, _ length: UInt32, at now: Instant
    ) -> StateJudgement {
        var entry = table[match.index]
        let old = entry.states
        let isOriginal = match.direction == .original
        var sender = isOriginal ? entry.original : entry.reply
        var other = isOriginal ? entry.reply : entry.original
        let outcome = StateSide.evaluate(segment, length, from: &sender, to: &other)
        if isOriginal {
            (entry.original, entry.reply) = (sender, other)
        } else {
            (entry.reply, entry.original) = (sender, other)
        }
        switch outcome {
        case .fits:
            let timer = StateTimer.tcp(sender.state, other.state)
            return write(entry, to: match.index, from: old, timer: timer, at: now)
        case .nearby:
            return write(entry, to: match.index, from: old, timer: nil, at: now)
        case .outOfState:
            return outOfState(match.index)
        case .outOfHandshake:
            // Both sides have sent a SYN and one of them is not of this connection: pf tells the sender by a reset,
            // and forgets what it took for this side's window.
            sender.hasSpoken = false
            (sender.low, sender.high, sender.largestWindow) = (0, 1, 1)
            if isOriginal { table[match.index].original = sender } else { table[match.index].reply = sender }
            outOfStatePackets &+= 1
            return StateJudgement(.outOfState(.reset), match.index)
        }
    }
}

extension StateSide {
    enum Fit {
        case fits, nearby, outOfState, outOfHandshake
    }

    /// Takes the window of a side from the segment that makes the state.
    mutating func begin(with segment: TCPHeader, length: UInt32) {
        low = segment.sequence
        high = segment.sequence &+ length &+ 1
        if segment.flags.contains(.syn) {
            high &+= 1
            scale = segment.windowScale.map { min($0, 14) }
        }
        if segment.flags.contains(.fin) { high &+= 1 }
        largestWindow = max(UInt32(segment.window), 1)
        // The window of a SYN is not scaled itself.
        if let scale, scale > 0 { largestWindow = (largestWindow &+ (1 << UInt32(scale)) &- 1) >> UInt32(scale) }
    }

    /// Judges a segment; both sides are changed only as far as the segment says.
    static func evaluate(
        _ segment: TCPHeader, _ length: UInt32, from sender: inout StateSide, to other: inout StateSide
    ) -> Fit {
        let flags = segment.flags
        var window = UInt32(segment.window)
        var senderScale: UInt32 = 0
        var otherScale: UInt32 = 0
        if let own = sender.scale, let their = other.scale, !flags.contains(.syn) {
            (senderScale, otherScale) = (UInt32(own), UInt32(their))
        }
        var sequence = segment.sequence
        var end = sequence &+ length &+ (flags.contains(.syn) ? 1 : 0) &+ (flags.contains(.fin) ? 1 : 0)
        if !sender.hasSpoken {
            if flags.contains(.syn), let their = other.scale {
                if let own = segment.windowScale {
                    sender.scale = min(own, 14)
                    senderScale = UInt32(min(own, 14))
                    window = (window &+ (1 << senderScale) &- 1) >> senderScale
                    otherScale = UInt32(their)
                } else {
                    // The other side's offer is void.
                    other.largestWindow <<= UInt32(their)
                    other.scale = nil
                }
            }
            sender.hasSpoken = true
            sender.low = sequence
            if sender.state < .synSent { sender.state = .synSent }
            let limit = end &+ max(1, other.largestWindow << otherScale)
            if sender.high == 1 || isAtOrAfter(limit, sender.high) { sender.high = limit }
            sender.largestWindow = max(sender.largestWindow, window)
        }
        var acknowledgement = segment.acknowledgement
        let isBareReset = flags.isSuperset(of: [.ack, .rst]) && acknowledgement == 0
        if !flags.contains(.ack) || isBareReset || other.state < .synSent { acknowledgement = other.low }
        if sequence == end {
            // Segments without data may be anywhere.
            sequence = sender.low
            end = sequence
        }
        let skew = Int64(Int32(bitPattern: other.low &- acknowledgement))
        let resetFits =
            !flags.contains(.rst) || (segment.sequence &- sender.low &+ 1) <= 2
        let fits =
            isAtOrAfter(sender.high, end)
            && isAtOrAfter(sequence, sender.low &- (other.largestWindow << otherScale))
            && skew >= -Int64(slack) && skew <= Int64(slack) << Int64(senderScale) && resetFits
        guard
            fits
                || ((other.state < .synSent || other.state >= .finWait2 || sender.state >= .finWait2)
                    && isAtOrAfter(sender.high &+ slack, end) && isAtOrAfter(sequence, sender.low &- slack))
        else {
            return other.state == .synSent && sender.state == .synSent && !flags.contains(.rst)
                ? .outOfHandshake : .outOfState
        }
        sender.largestWindow = max(sender.largestWindow, window)
        if isAtOrAfter(end, sender.low) { sender.low = end }
        let reach = acknowledgement &+ (window << senderScale)
        if isAtOrAfter(reach, other.high) { other.high = acknowledgement &+ max(window << senderScale, 1) }

        if flags.contains(.fin), sender.state < .closing { sender.state = .closing }
        if fits {
            if flags.contains(.syn), sender.state < .synSent { sender.state = .synSent }
            if flags.contains(.ack) {
                if other.state == .synSent { other.state = .established }
                if other.state == .closing { other.state = .finWait2 }
            }
        }
        if flags.contains(.rst) {
            sender.state = .timeWait
            other.state = .timeWait
        }
        return fits ? .fits : .nearby
    }

    /// Whether a sequence number that an ICMP error quotes can be of a segment that this side sent.
    func hasSent(_ sequence: UInt32, before other: StateSide) -> Bool {
        let shift = scale != nil ? UInt32(other.scale ?? 0) : 0
        return isAtOrAfter(high, sequence) && isAtOrAfter(sequence, low &- (other.largestWindow << shift))
    }
}
