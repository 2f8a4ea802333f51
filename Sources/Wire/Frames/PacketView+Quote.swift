extension IPPacketView {
    /// The packet that this ICMP error is about; nil where it is no error, or quotes too little to tell.
    @inlinable public var quoted: IPQuotedPacket<Family>? {
        guard layout.fragment == .whole, let type = controlType, Family.quotesPacket(type: type) else { return nil }
        return Family.quoted(payload)
    }

    /// Gives the quoted packet another flow, so that a translator's error names what its receiver sent: addresses,
    /// ports where they were quoted, the quote's own checksums as far as they were quoted, and the ICMP checksum.
    ///
    /// Does nothing where `quoted` is nil. Source: RFC 5508, 4.2
    /// - Complexity: O(1)
    @inlinable
    public func rewriteQuote(to flow: FlowKey<Family>) {
        guard let quoted else { return }
        // Guard: `quoted` found the header and, with ports, eight bytes behind it. The quote starts at an even byte
        // of the ICMP message and its headers are multiples of four, so every field is a word of the checksums.
        let start = Int(storedLayout.payloadOffset)
        let transport = start + quoted.transportOffset
        let quotedSegment = Int(storedLayout.endOffset) - transport
        var change = ChecksumChange()  // of the ICMP message
        var inner: ChecksumChange  // of the quoted transport header, pseudo-header included

        inner = flow.pair.change(from: quoted.fiveTuple.pair)
        flow.pair.write(to: base + (start &+ Family.addressOffset))
        change.add(inner)
        if Family.hasHeaderChecksum {
            let headerChecksum = bytes.readUInt16(at: start + 10)
            replace(headerChecksum, with: inner.applied(to: headerChecksum), at: start + 10, &change)
        }

        if quoted.hasPorts {
            let ports = UInt32(truncatingIfNeeded: flow.portsAndProtocol)
            switch quoted.fiveTuple.protocol {
            case Family.controlProtocol:
                let old = bytes.readUInt16(at: transport + 4)
                let checksum = bytes.readUInt16(at: transport + 2)
                let new = UInt16(truncatingIfNeeded: ports >> 16)
                if !Family.controlHasPseudoHeader { inner = ChecksumChange() }
                inner.replace(old, with: new)
                replace(old, with: new, at: transport + 4, &change)
                replace(checksum, with: inner.applied(to: checksum), at: transport + 2, &change)
            case .udp:
                let old = bytes.readUInt32(at: transport)
                let checksum = bytes.readUInt16(at: transport + 6)
                inner.replace(old, with: ports)
                replace(old, with: ports, at: transport, &change)
                replace(checksum, with: inner.appliedToUDP(checksum), at: transport + 6, &change)
            default:
                let old = bytes.readUInt32(at: transport)
                inner.replace(old, with: ports)
                replace(old, with: ports, at: transport, &change)
                if quotedSegment >= 18 {
                    let checksum = bytes.readUInt16(at: transport + 16)
                    replace(checksum, with: inner.applied(to: checksum), at: transport + 16, &change)
                }
            }
        }
        let checksum = bytes.readUInt16(at: self.transport + 2)
        base.write(change.applied(to: checksum), at: self.transport + 2)
    }

    @inlinable
    func replace(_ old: UInt32, with new: UInt32, at offset: Int, _ change: inout ChecksumChange) {
        base.write(new, at: offset)
        change.replace(old, with: new)
    }

    @inlinable
    func replace(_ old: UInt16, with new: UInt16, at offset: Int, _ change: inout ChecksumChange) {
        base.write(new, at: offset)
        change.replace(old, with: new)
    }
}
