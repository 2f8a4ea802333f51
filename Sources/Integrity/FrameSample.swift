/// What is kept of a captured frame to compare it with others.
struct FrameSample: Sendable {
    /// Nanoseconds since 1970.
    var time: Int64
    /// Of the whole frame.
    var hash: UInt64
    /// Of the bytes that forwarding and translation do not change; 0 where there are none.
    var identity: UInt64 = 0
    /// The source MAC address.
    var source: UInt64 = 0
    /// The IPv4 source and destination of the outermost packet; 0 of others.
    var addresses: UInt64 = 0
    /// The destination MAC address.
    var destination: UInt64 = 0
    /// Whether the sender's kernel never sends this frame twice: a TCP or UDP packet with an identification of its own.
    var isUnique = false
    /// Whether the frame was captured whole.
    var isWhole = true
    var hasBadChecksum = false
    /// Of ARP.
    var arpSender: UInt64?

    /// - Parameter bytes: from the Ethernet header on, as captured
    init(_ bytes: UnsafeRawBufferPointer, originalLength: Int, time: Int64) {
        self.time = time
        hash = FrameHash.of(bytes, seed: UInt64(originalLength))
        isWhole = bytes.count == originalLength
        // The guard for the loads of the Ethernet header.
        guard bytes.count >= 14 else { return }
        destination = bytes.bigEndian48(0)
        source = bytes.bigEndian48(6)
        var offset = 12
        var type = bytes.bigEndian16(offset)
        while type == 0x8100 || type == 0x88a8, offset + 6 <= bytes.count {
            offset += 4
            type = bytes.bigEndian16(offset)
        }
        switch type {
        case 0x0800, 0x86dd: read(PacketSample(bytes, at: offset + 2))
        // Hardware 1, protocol 0x0800, lengths 6 and 4. Source: RFC 826
        case 0x0806:
            guard offset + 30 <= bytes.count, bytes.bigEndian16(offset + 2) == 1,
                bytes.bigEndian16(offset + 4) == 0x0800
            else { return }
            arpSender = bytes.bigEndian48(offset + 10)
        default: break
        }
    }

    private mutating func read(_ packet: PacketSample?) {
        guard let packet else { return }
        identity = packet.identity
        addresses = packet.addresses
        isUnique = packet.isUnique
        hasBadChecksum = packet.hasBadChecksum
    }
}

/// An IP packet as far as it is compared: its checksums, and its identity.
struct PacketSample {
    var identity: UInt64 = 0
    var addresses: UInt64 = 0
    var isUnique = false
    var hasBadChecksum = false

    /// - Parameters:
    ///   - start: of the IP header
    ///   - depth: of tunnels around it
    init?(_ bytes: UnsafeRawBufferPointer, at start: Int, depth: Int = 0) {
        guard start < bytes.count else { return nil }
        switch bytes[start] >> 4 {
        case 4: readIPv4(bytes, at: start, depth: depth)
        case 6: readIPv6(bytes, at: start, depth: depth)
        default: return nil
        }
    }

    /// RFC 791, 3.1
    private mutating func readIPv4(_ bytes: UnsafeRawBufferPointer, at start: Int, depth: Int) {
        guard start + 20 <= bytes.count else { return }
        let headerLength = Int(bytes[start] & 0x0f) * 4
        let total = Int(bytes.bigEndian16(start + 2))
        // A frame that was cut, or has a wrong length, has no checksum to verify.
        guard headerLength >= 20, total >= headerLength, start + total <= bytes.count else { return }
        hasBadChecksum = OnesSum.of(bytes, start, headerLength) != 0xffff
        addresses = bytes.bigEndian64(start + 12)
        // Fragments have no transport header, or a payload that is not all of it.
        guard bytes.bigEndian16(start + 6) & 0x3fff == 0 else { return }
        let proto = bytes[start + 9]
        let identification = bytes.bigEndian16(start + 4)
        readTransport(
            bytes, at: start + headerLength, length: total - headerLength, proto: proto,
            identification: identification, depth: depth
        ) {
            OnesSum.partial(bytes, start + 12, 8) + UInt64(UInt16(proto).bigEndian)
                + UInt64(UInt16(truncatingIfNeeded: total - headerLength).bigEndian)
        }
        isUnique = isUnique && identification != 0
    }

    /// RFC 8200; hop-by-hop and destination options are passed over.
    private mutating func readIPv6(_ bytes: UnsafeRawBufferPointer, at start: Int, depth: Int) {
        guard start + 40 <= bytes.count else { return }
        let end = start + 40 + Int(bytes.bigEndian16(start + 4))
        guard end <= bytes.count else { return }
        var (proto, offset) = (bytes[start + 6], start + 40)
        while proto == 0 || proto == 60, offset + 8 <= end {
            proto = bytes[offset]
            offset += 8 + Int(bytes[offset + 1]) * 8
        }
        guard offset <= end else { return }
        let (last, length) = (proto, end - offset)
        readTransport(
            bytes, at: offset, length: length, proto: proto, identification: 0, depth: depth
        ) {
            OnesSum.partial(bytes, start + 8, 32) + UInt64(UInt16(last).bigEndian)
                + UInt64(UInt16(truncatingIfNeeded: length).bigEndian)
        }
        // Without an identification a repeated segment is the same frame again.
        isUnique = false
    }

    private mutating func readTransport(
        _ bytes: UnsafeRawBufferPointer, at start: Int, length: Int, proto: UInt8, identification: UInt16, depth: Int,
        pseudoHeader: () -> UInt64
    ) {
        func check(with pseudoHeader: UInt64) {
            if OnesSum.fold(OnesSum.partial(bytes, start, length) + pseudoHeader) != 0xffff { hasBadChecksum = true }
        }
        switch proto {
        case 1 where length >= 8: check(with: 0)
        case 58 where length >= 8: check(with: pseudoHeader())
        case 4 where depth < 2, 41 where depth < 2: readInner(bytes, at: start, depth: depth)
        case 47 where depth < 2 && length >= 4 && bytes.bigEndian16(start) == 0:
            readInner(bytes, at: start + 4, depth: depth)
        case 6 where length >= 20:
            check(with: pseudoHeader())
            isUnique = true
            let dataOffset = Int(bytes[start + 12] >> 4) * 4
            // FTP's control connections are rewritten on their way.
            let isFTP = bytes.bigEndian16(start) == 21 || bytes.bigEndian16(start + 2) == 21
            guard dataOffset >= 20, length > dataOffset, !isFTP else { return }
            identity = FrameHash.of(
                UnsafeRawBufferPointer(rebasing: bytes[(start + dataOffset)..<(start + length)]),
                seed: UInt64(identification) << 32 | UInt64(bytes.bigEndian32(start + 4)))
        case 17 where length >= 8:
            // 0: the sender made none. Source: RFC 768
            if bytes.bigEndian16(start + 6) != 0, Int(bytes.bigEndian16(start + 4)) == length {
                check(with: pseudoHeader())
            }
            isUnique = true
            guard length > 8 else { return }
            identity = FrameHash.of(
                UnsafeRawBufferPointer(rebasing: bytes[(start + 8)..<(start + length)]),
                seed: UInt64(identification) << 32 | 17)
        default: break
        }
    }

    /// A tunnel's packet is identified by its inner packet.
    private mutating func readInner(_ bytes: UnsafeRawBufferPointer, at start: Int, depth: Int) {
        guard let inner = PacketSample(bytes, at: start, depth: depth + 1) else { return }
        identity = inner.identity
        if inner.hasBadChecksum { hasBadChecksum = true }
    }
}

/// The sum of the internet checksum in the machine's byte order: it comes to ffff over what is whole, in either order.
/// Source: RFC 1071, 2
enum OnesSum {
    /// Not folded; the caller guards the range.
    static func partial(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> UInt64 {
        guard let base = bytes.baseAddress, count > 0 else { return 0 }
        var (sum, offset) = (UInt64(0), start)
        let end = start + count
        while offset + 4 <= end {
            sum &+= UInt64(base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            offset += 4
        }
        if offset + 2 <= end {
            sum &+= UInt64(base.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            offset += 2
        }
        if offset < end { sum &+= UInt64(UInt16(bytes[offset]).littleEndian) }
        return sum
    }

    static func fold(_ sum: UInt64) -> UInt16 {
        var sum = sum
        while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
        return UInt16(sum)
    }

    static func of(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> UInt16 {
        fold(partial(bytes, start, count))
    }
}

enum FrameHash {
    /// Not 0.
    static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(bytes.count)
        func fold(_ word: UInt64) {
            state = (state ^ word) &* 0xff51_afd7_ed55_8ccd
            state = state << 31 | state >> 33
        }
        if let base = bytes.baseAddress {
            var offset = 0
            // Guard: `offset + 8` is at most `count`.
            while offset + 8 <= bytes.count {
                fold(base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                offset += 8
            }
            var (rest, shift) = (UInt64(0), UInt64(0))
            while offset < bytes.count {
                rest |= UInt64(bytes[offset]) << shift
                shift += 8
                offset += 1
            }
            fold(rest)
        }
        state ^= state >> 32
        return state == 0 ? 1 : state
    }
}

extension UnsafeRawBufferPointer {
    // The callers guard the ranges.
    func bigEndian16(_ offset: Int) -> UInt16 {
        UInt16(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    func bigEndian32(_ offset: Int) -> UInt32 {
        UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    func bigEndian64(_ offset: Int) -> UInt64 {
        UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    func bigEndian48(_ offset: Int) -> UInt64 {
        UInt64(bigEndian16(offset)) << 32 | UInt64(bigEndian32(offset + 2))
    }
}
