import LabTime
import Mutants
public import Wire

extension BoxPorts {
    /// Source: RFC 826, "Packet Reception"; RFC 5227, 2.4 (a conflict is noticed, the address is kept)
    mutating func receive(
        _ header: ARPHeader, in frame: Frame, at now: Instant, into output: inout FrameQueue
    ) {
        let port = frame.port
        let answer = owned.answer(for: header.targetAddress, on: port)
        if owned.answer(for: header.senderAddress, on: port) != nil {
            // The box's own words that came back over a switch are no conflict.
            if header.senderMAC != ports[Int(port)].mac,
                !acceptedMACs.contains(UInt64(port) << 48 | header.senderMAC.packed)
            {
                counters.drop(.addressConflict)
            }
            return
        }
        // An announcement carries the same address twice; it is nobody's question.
        let isQuestion = header.operation == .request && header.senderAddress != header.targetAddress
        learn(header, on: port, at: now, creates: isQuestion && answer != nil, into: &output)
        if isQuestion {
            if let answer { sendARPReply(to: header, from: answer, by: port, into: &output) }
            return
        }
        guard ports[Int(port)].hasHostSide else { return }
        deliverToHost(frame, into: &output)
    }

    private mutating func learn(
        _ header: ARPHeader, on port: PortIndex, at now: Instant, creates: Bool, into output: inout FrameQueue
    ) {
        // A prober that has no address yet (0.0.0.0), and senders that are not one neighbour on this link, teach
        // nothing.
        guard header.senderAddress.isRoutable, let network = ports[Int(port)].address?.network,
            network.contains(header.senderAddress)
        else { return }
        learnNeighbor(
            header.senderAddress, header.senderMAC, on: port, at: now, creates: creates, overrides: true, into: &output)
    }

    /// Enters or confirms a neighbour; frames that waited for it leave.
    mutating func learnNeighbor(
        _ address: some InternetAddress, _ mac: MACAddress, on port: PortIndex, at now: Instant, creates: Bool,
        overrides: Bool, into output: inout FrameQueue
    ) {
        guard !mac.isMulticast, !mac.isZero else { return }
        let change = neighbors.learn(address, mac, on: port, at: now, creates: creates, overrides: overrides)
        switch change {
        case .ignored, .confirmed: break
        case .learned, .changed:
            counters.count(change == .learned ? .neighborLearned : .neighborChanged)
            let released = neighbors.release(address, on: port, into: &output)
            counters.count(.made, times: released.sent)
            counters.count(.forwarded, times: released.sent)
            counters.drop(.outputFull, times: released.dropped)
        case .tableFull: counters.drop(.neighborTableFull)
        }
    }

    private mutating func sendARPReply(
        to request: ARPHeader, from mac: MACAddress, by port: PortIndex, into output: inout FrameQueue
    ) {
        guard let buffer = makeARP(by: port, into: &output) else { return }
        _ = FrameBuilder.arpReply(to: request, mac: mac, into: buffer)
        counters.count(.arpAnswered)
    }

    /// Asks for a neighbour of either family, everybody on the link or, as a probe, the neighbour itself.
    mutating func solicit(
        _ address: IPAddress, by port: PortIndex, probing mac: MACAddress? = nil, into output: inout FrameQueue
    ) {
        switch address {
        case .ipv4(let address): sendARPRequest(for: address, by: port, to: mac ?? .broadcast, into: &output)
        case .ipv6(let address): sendSolicitation(for: address, by: port, to: mac, into: &output)
        }
    }

    /// Asks for a neighbour, everybody on the link or, as a probe, the neighbour itself.
    mutating func sendARPRequest(
        for address: IPv4Address, by port: PortIndex, to mac: MACAddress, into output: inout FrameQueue
    ) {
        let from = self[port]
        guard let own = from.address?.address, let buffer = makeARP(by: port, into: &output) else { return }
        _ = FrameBuilder.arpRequest(for: address, from: own, mac: from.mac, to: mac, into: buffer)
        counters.count(.arpRequested)
    }

    /// Announces that an address is at `mac` now: a gratuitous ARP request, which updates every neighbour's entry.
    /// Source: RFC 5227, 3; RFC 9568, 6.4.1
    public mutating func announce(
        _ address: IPv4Address, at mac: MACAddress, on port: PortIndex, into output: inout FrameQueue
    ) {
        if Mutant.isOn(.noGratuitousARP) { return }
        let mac = Mutant.isOn(.announcesOwnMAC) ? self[port].mac : mac
        guard let buffer = makeARP(by: port, into: &output) else { return }
        _ = FrameBuilder.gratuitousARP(address, mac: mac, into: buffer)
    }

    /// Room for an ARP frame, which the caller fills: it is exactly as long.
    private mutating func makeARP(
        by port: PortIndex, into output: inout FrameQueue
    ) -> UnsafeMutableRawBufferPointer? {
        make(length: FrameBuilder.arpLength, by: port, into: &output)
    }

    /// Room for a frame of the box's own, which the caller fills.
    mutating func make(
        length: Int, by port: PortIndex, into output: inout FrameQueue
    ) -> UnsafeMutableRawBufferPointer? {
        guard self[port].isUp else {
            counters.drop(.carrierDown)
            return nil
        }
        guard let buffer = output.make(length: length, port: port, side: .wire) else {
            counters.drop(.outputFull)
            return nil
        }
        counters.count(.made)
        return buffer
    }
}
