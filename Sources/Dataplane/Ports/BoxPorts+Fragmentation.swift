public import LabTime
public import Wire

extension BoxPorts {
    /// The identification that the fragments of one more translated datagram leave with: those of two inside hosts behind
    /// one address may be alike. Source: RFC 6864, 5.3
    public mutating func newIdentification() -> UInt16 {
        defer { nextIdentification &+= 1 }
        return nextIdentification
    }

    /// Sends a packet that exceeds the MTU of its port in pieces, in order. The packet allows it, and its header is
    /// finished: translated, time to live lowered.
    /// Source: RFC 791, 3.2; RFC 4787, REQ-13
    mutating func sendInFragments(
        _ frame: Frame, _ packet: PacketView, to hop: NextHop, at now: Instant, into output: inout FrameQueue
    ) {
        let network = Int(packet.layout.networkOffset)
        let headerLength = Int(packet.layout.transportOffset) - network
        let data = packet.segment
        // Guard: an IPv4 MTU is 68 at least, so eight bytes of data fit behind the longest header.
        let step = (min(Int(self[hop.port].mtu), FrameQueue.longestFrame - network) - headerLength) & ~7
        guard step >= 8, let source = data.baseAddress else { return counters.drop(.packetTooBig) }
        let fragmentField = UnsafeRawPointer(frame.base).readUInt16(at: network + 6)
        let (offset, isLast) = (Int(fragmentField & 0x1fff), fragmentField & 0x2000 == 0)
        var start = 0
        while start < data.count {
            let count = min(step, data.count - start)
            scratch.copyMemory(from: frame.base, byteCount: network + headerLength)
            (scratch + network + headerLength).copyMemory(from: source + start, byteCount: count)
            scratch.write(self[hop.port].sourceMAC, at: 6)
            let hasMore = !isLast || start + count < data.count
            let field = UInt16(truncatingIfNeeded: offset + start / 8) | (hasMore ? 0x2000 : 0)
            scratch.write(UInt16(truncatingIfNeeded: headerLength + count), at: network + 2)
            scratch.write(field, at: network + 6)
            if start > 0 { clearOptionsOfFirstFragment(at: network + 20, end: network + headerLength) }
            scratch.write(UInt16(0), at: network + 10)
            let header = UnsafeRawBufferPointer(start: scratch + network, count: headerLength)
            scratch.write(Checksum.of(header), at: network + 10)
            if sendScratch(network + headerLength + count, to: hop, at: now, into: &output) {
                counters.count(.forwarded)
            }
            start += count
        }
        counters.count(.fragmented)
    }

    /// Options whose copied flag is clear are the first fragment's alone; no-operations take their place.
    /// Source: RFC 791, 3.1
    private mutating func clearOptionsOfFirstFragment(at first: Int, end: Int) {
        var place = first
        while place < end {
            let type = UnsafeRawPointer(scratch).readUInt8(at: place)
            if type == 0 { return }
            if type == 1 {
                place += 1
                continue
            }
            guard place + 1 < end else { return }
            let length = Int(UnsafeRawPointer(scratch).readUInt8(at: place + 1))
            guard length >= 2, place + length <= end else { return }
            if type & 0x80 == 0 {
                for index in place..<(place + length) { scratch.write(UInt8(1), at: index) }
            }
            place += length
        }
    }
}
