import LabTime
import Wire

extension StateTable {
    /// Queries have a state by their identifier. An error belongs to the state of the packet that it quotes, and
    /// neither refreshes nor ends it; one about a packet that was never judged passes where pick-up is loose.
    /// Source: pf, `pf_test_state_icmp`
    mutating func evaluateICMP(_ packet: PacketView, _ place: Crossing, at now: Instant) -> StateJudgement {
        guard let message = packet.icmp else { return StateJudgement(.drop(.malformedTransport)) }
        if message.type.isQuery {
            guard let match = table.find(packet.fiveTuple) else {
                let isAnswer = message.type == .echoReply || message.type == .timestampReply
                guard !isAnswer || midStreamPickup == .loose else { return StateJudgement(.drop(.noSession)) }
                return open(
                    packet.fiveTuple, StateEntry(connectionlessOn: place, timer: .icmpFirstPacket), at: now)
            }
            var entry = table[match.index]
            let old = entry.states
            entry.noteConnectionless(match.direction)
            return write(entry, to: match.index, from: old, timer: .icmpErrorReply, at: now)
        }
        guard message.type.isError else {
            return StateJudgement(midStreamPickup == .loose ? .pass : .drop(.noSession))
        }
        // An error is about a packet that its receiver sent.
        guard let quoted = packet.quoted, quoted.fiveTuple.source == packet.destination else {
            return StateJudgement(.drop(.icmpWithoutFlow))
        }
        guard let match = table.find(quoted.fiveTuple) else {
            return StateJudgement(midStreamPickup == .loose ? .pass : .drop(.icmpWithoutFlow))
        }
        if profile.tracksWindows, quoted.fiveTuple.protocol == .tcp, quoted.hasPorts {
            // Guard: with ports, eight bytes of the TCP header are there.
            guard let base = packet.payload.baseAddress else { return StateJudgement(.drop(.malformedTransport)) }
            let sequence = base.readUInt32(at: quoted.transportOffset + 4)
            let entry = table[match.index]
            let (sender, other) =
                match.direction == .original ? (entry.original, entry.reply) : (entry.reply, entry.original)
            guard sender.hasSpoken, sender.hasSent(sequence, before: other) else {
                return sender.hasSpoken ? outOfState(match.index) : StateJudgement(.pass, match.index)
            }
        }
        return StateJudgement(.pass, match.index)
    }
}
