internal import Wire

/// Damage to one bit of a frame, in place.
struct BitFlip {
    /// From the frame's start.
    var byte: Int
    var bit: Int

    /// nil where the frame has no such byte.
    init?(
        _ corruption: Corruption, frame: UnsafeRawBufferPointer, layout: IPv6FrameLayout?, _ random: inout RandomSource
    ) {
        let end = layout.map { Int($0.endOffset) } ?? frame.count
        let start: Int
        switch (corruption.part, layout) {
        case (.frame, _): start = 0
        case (.network, let layout?): start = Int(layout.networkOffset)
        case (.transport, let layout?): start = Int(layout.transportOffset)
        case (.payload, let layout?): start = Int(layout.payloadOffset)
        case (_, nil): return nil
        }
        // Both are drawn in any case, so that one given byte does not change later random values.
        let (chosenByte, chosenBit) = (random.fraction(), random.number(below: 8))
        guard start < end else { return nil }
        let byte = corruption.byte ?? Int(chosenByte * Double(end - start))
        guard byte >= 0, byte < end - start else { return nil }
        self.byte = start + byte
        bit = (corruption.bit ?? chosenBit) & 7
    }

    func apply(to frame: UnsafeMutableRawBufferPointer) { frame[byte] ^= 1 << UInt8(bit) }

    /// Makes the checksums right for the bytes as they are now; lengths are those of the frame before the damage.
    static func fixChecksums(of frame: UnsafeMutableRawBufferPointer, _ layout: IPv6FrameLayout) {
        guard let base = frame.baseAddress else { return }
        // Guard: the parse found every offset inside the frame and the headers whole.
        let (network, transport) = (Int(layout.networkOffset), Int(layout.transportOffset))
        // The version may be what was damaged.
        let isIPv4 = UnsafeRawPointer(base).readUInt16(at: 12) == EtherType.ipv4.rawValue
        if isIPv4 {
            base.write(UInt16(0), at: network + 10)
            base.write(
                Checksum.of(UnsafeRawBufferPointer(start: base + network, count: transport - network)), at: network + 10
            )
        }
        guard layout.hasTransportHeader, layout.fragment == .whole else { return }
        let bytes = UnsafeRawPointer(base)
        let length = Int(layout.endOffset) - transport
        let field: Int
        var checksum = Checksum()
        switch layout.ipProtocol {
        case .tcp: field = transport + 16
        case .udp:
            field = transport + 6
            // Zero means that there is none.
            if bytes.readUInt16(at: field) == 0 { return }
        case .icmp, .icmpv6: field = transport + 2
        default: return
        }
        base.write(UInt16(0), at: field)
        if layout.ipProtocol != .icmp {
            if isIPv4 {
                checksum.addPseudoHeader(
                    source: bytes.readIPv4(at: network + 12), destination: bytes.readIPv4(at: network + 16),
                    protocol: layout.ipProtocol, length: length)
            } else {
                checksum.addPseudoHeader(
                    source: bytes.readIPv6(at: network + 8), destination: bytes.readIPv6(at: network + 24),
                    protocol: layout.ipProtocol, length: length)
            }
        }
        checksum.add(bytes + transport, count: length)
        base.write(layout.ipProtocol == .udp ? checksum.valueForUDP : checksum.value, at: field)
    }
}
