extension PacketView {
    /// The packet that this ICMP error is about; nil where it is no error, or quotes too little to tell.
    public var quoted: QuotedPacket? {
        guard layout.fragment == .whole, let header = icmp, header.type.isError else { return nil }
        return try? QuotedPacket(payload)
    }

    /// Gives the quoted packet another flow, so that a translator's error names what its receiver sent: addresses,
    /// ports where they were quoted, the quote's own checksums as far as they were quoted, and the ICMP checksum.
    ///
    /// Does nothing where `quoted` is nil. Source: RFC 5508, 4.2
    /// - Complexity: O(1)
    public func rewriteQuote(to flow: FiveTuple) {
        guard let quoted else { return }
        // Guard: `quoted` found the header and, with ports, eight bytes behind it. The quote starts at an even byte
        // of the ICMP message and its header is a multiple of four, so every field is a word of the checksums.
        let start = Int(storedLayout.payloadOffset)
        let transport = start + quoted.transportOffset
        let quotedSegment = Int(storedLayout.endOffset) - transport
        var change = ChecksumChange()  // of the ICMP message
        var inner = ChecksumChange()  // of the quoted transport header, pseudo-header included

        replace(quoted.fiveTuple.addresses, with: flow.addresses, at: start + 12, &change)
        inner.replace(quoted.fiveTuple.addresses, with: flow.addresses)
        let headerChecksum = bytes.readUInt16(at: start + 10)
        replace(headerChecksum, with: inner.applied(to: headerChecksum), at: start + 10, &change)

        if quoted.hasPorts {
            let ports = UInt32(truncatingIfNeeded: flow.portsAndProtocol)
            switch quoted.fiveTuple.protocol {
            case .icmp:
                let old = bytes.readUInt16(at: transport + 4)
                let checksum = bytes.readUInt16(at: transport + 2)
                let new = UInt16(truncatingIfNeeded: ports >> 16)
                replace(old, with: new, at: transport + 4, &change)
                replace(
                    checksum, with: Checksum.update(checksum, replacing: old, with: new), at: transport + 2, &change)
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

    private func replace(_ old: UInt64, with new: UInt64, at offset: Int, _ change: inout ChecksumChange) {
        base.write(new, at: offset)
        change.replace(old, with: new)
    }

    private func replace(_ old: UInt32, with new: UInt32, at offset: Int, _ change: inout ChecksumChange) {
        base.write(new, at: offset)
        change.replace(old, with: new)
    }

    private func replace(_ old: UInt16, with new: UInt16, at offset: Int, _ change: inout ChecksumChange) {
        base.write(new, at: offset)
        change.replace(old, with: new)
    }
}
