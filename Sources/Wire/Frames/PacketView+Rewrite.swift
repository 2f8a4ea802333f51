public import Mutants

extension IPPacketView {
    /// Gives the packet another flow: addresses, and ports where it has a transport header; header and transport
    /// checksums are corrected by what changed. The protocol of `flow` is not looked at.
    ///
    /// An ICMP query takes the source port of `flow` as its identifier. Later fragments change addresses only: their
    /// datagram's checksum is in the first one.
    /// - Complexity: O(1), whatever the packet's size
    @inlinable
    public mutating func rewrite(to flow: FlowKey<Family>) {
        let old = storedLayout.fiveTuple
        let network = network
        var change = flow.pair.change(from: old.pair)
        flow.pair.write(to: base + (network &+ Family.addressOffset))
        if Family.hasHeaderChecksum {
            base.write(change.applied(to: bytes.readUInt16(at: network &+ 10)), at: network &+ 10)
        }
        storedLayout.fiveTuple.pair = flow.pair
        guard storedLayout.hasTransportHeader else { return }
        let transport = transport
        let oldPorts = UInt32(truncatingIfNeeded: old.portsAndProtocol)
        let newPorts = UInt32(truncatingIfNeeded: flow.portsAndProtocol)
        if Mutant.isOn(.wrongTransportChecksum) { change.replace(UInt16(0), with: 1) }
        switch old.protocol {
        case .tcp:
            change.replace(oldPorts, with: newPorts)
            base.write(newPorts, at: transport)
            base.write(change.applied(to: bytes.readUInt16(at: transport &+ 16)), at: transport &+ 16)
            setPorts(newPorts)
        case .udp:
            change.replace(oldPorts, with: newPorts)
            base.write(newPorts, at: transport)
            base.write(change.appliedToUDP(bytes.readUInt16(at: transport &+ 6)), at: transport &+ 6)
            setPorts(newPorts)
        default:
            rewriteControl(identifier: UInt16(truncatingIfNeeded: newPorts >> 16), change)
        }
    }

    /// Another source address; ports stay.
    @inlinable public mutating func rewriteSource(_ address: Family.Address) {
        var flow = fiveTuple
        flow.source = address
        rewrite(to: flow)
    }

    /// Another source address and port (for an ICMP query: identifier).
    @inlinable public mutating func rewriteSource(_ address: Family.Address, port: UInt16) {
        var flow = fiveTuple
        flow.source = address
        flow.sourcePort = port
        rewrite(to: flow)
    }

    /// Another destination address; ports stay.
    @inlinable public mutating func rewriteDestination(_ address: Family.Address) {
        var flow = fiveTuple
        flow.destination = address
        rewrite(to: flow)
    }

    /// Another destination address and port (for the answer to an ICMP query: identifier).
    @inlinable public mutating func rewriteDestination(_ address: Family.Address, port: UInt16) {
        var flow = fiveTuple
        flow.destination = address
        flow.destinationPort = port
        if ipProtocol == Family.controlProtocol { flow.sourcePort = port }
        rewrite(to: flow)
    }

    /// Takes one from the time to live.
    /// - Returns: false where it is 0 or 1; the packet is unchanged then, and is not to be forwarded
    @inlinable
    public func decrementTimeToLive() -> Bool {
        if Mutant.isOn(.keepsTimeToLive) { return true }
        guard Family.hasHeaderChecksum else {
            // No checksum covers the hop limit of IPv6.
            let hopLimit = bytes.readUInt8(at: network &+ Family.timeToLiveOffset)
            guard hopLimit >= 2 else { return false }
            base.write(hopLimit &- 1, at: network &+ Family.timeToLiveOffset)
            return true
        }
        // Time to live and protocol are one word of the checksum.
        let word = bytes.readUInt16(at: network &+ 8)
        guard word >= 0x0200 else { return false }
        let checksum = bytes.readUInt16(at: network &+ 10)
        base.write(word &- 0x0100, at: network &+ 8)
        if Mutant.isOn(.wrongHeaderChecksum) { return true }
        base.write(Checksum.update(checksum, replacing: word, with: word &- 0x0100), at: network &+ 10)
        return true
    }

    /// Lowers the largest segment that a SYN announces, so that what its sender is sent fits a tunnel.
    /// - Returns: whether the packet was changed
    @inlinable
    public func clampMaximumSegmentSize(to limit: UInt16) -> Bool {
        if Mutant.isOn(.clampsNothing) { return false }
        guard tcpFlags.contains(.syn), let header = tcp, header.maximumSegmentSizeOffset != 0 else { return false }
        let offset = transport &+ Int(header.maximumSegmentSizeOffset)
        let old = bytes.readUInt16(at: offset)
        guard old > limit else { return false }
        base.write(limit, at: offset)
        // Options have any alignment: at an odd offset the value's bytes are halves of two words, swapped.
        let isOdd = header.maximumSegmentSizeOffset & 1 == 1
        let checksum = bytes.readUInt16(at: transport &+ 16)
        let new = Checksum.update(
            checksum, replacing: isOdd ? old.byteSwapped : old, with: isOdd ? limit.byteSwapped : limit)
        base.write(new, at: transport &+ 16)
        return true
    }

    @inlinable
    mutating func setPorts(_ ports: UInt32) {
        storedLayout.fiveTuple.portsAndProtocol =
            storedLayout.fiveTuple.portsAndProtocol & ~0xffff_ffff | UInt64(ports)
    }

    /// The checksum of ICMP changes with the identifier of a query alone, that of ICMPv6 with the addresses too.
    @inlinable
    mutating func rewriteControl(identifier: UInt16, _ addressChange: ChecksumChange) {
        var change = Family.controlHasPseudoHeader ? addressChange : ChecksumChange()
        let isQuery = Family.isControlQuery(type: bytes.readUInt8(at: transport))
        if isQuery {
            change.replace(bytes.readUInt16(at: transport &+ 4), with: identifier)
            base.write(identifier, at: transport &+ 4)
        }
        guard isQuery || Family.controlHasPseudoHeader else { return }
        base.write(change.applied(to: bytes.readUInt16(at: transport &+ 2)), at: transport &+ 2)
        if isQuery { setPorts(UInt32(identifier) << 16 | UInt32(identifier)) }
    }
}

extension IPPacketView where Family == IPv4 {
    /// Another identification, for all fragments of one datagram.
    @inlinable
    public func rewriteIdentification(_ identification: UInt16) {
        let checksum = bytes.readUInt16(at: network &+ 10)
        let new = Checksum.update(checksum, replacing: self.identification, with: identification)
        base.write(identification, at: network &+ 4)
        base.write(new, at: network &+ 10)
    }
}
