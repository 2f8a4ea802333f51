public import LabTime
public import Wire

/// The ICMP errors that a dataplane makes.
public enum ICMPError: Hashable, Sendable {
    case networkUnreachable
    case hostUnreachable
    case portUnreachable
    /// A filter forbids it.
    case administrativelyProhibited
    case packetTooBig(mtu: Int)
    case timeToLiveExceeded

    /// Type, code, and the second word of the header. Source: RFC 792, RFC 1191, 4, RFC 1812, 5.2.7.1
    var fields: (type: UInt8, code: UInt8, rest: UInt32) {
        switch self {
        case .networkUnreachable: (3, 0, 0)
        case .hostUnreachable: (3, 1, 0)
        case .portUnreachable: (3, 3, 0)
        case .administrativelyProhibited: (3, 13, 0)
        case .packetTooBig(let mtu): (3, 4, UInt32(clamping: min(mtu, 0xffff)))
        case .timeToLiveExceeded: (11, 0, 0)
        }
    }
}

/// At most 1000 ICMP errors a second and 50 at once, as Linux has it (`icmp_msgs_per_sec`, `icmp_msgs_burst`).
struct ICMPLimit {
    private static let burst: Int64 = 50
    private static let interval: Int64 = 1_000_000
    private var tokens = burst
    private var refilled = Instant(nanoseconds: .min / 2)

    mutating func take(at now: Instant) -> Bool {
        let gained = (now - refilled).nanoseconds / Self.interval
        if gained > 0 {
            tokens = min(Self.burst, tokens + min(gained, Self.burst))
            refilled = tokens == Self.burst ? now : Instant(nanoseconds: refilled.nanoseconds + gained * Self.interval)
        }
        guard tokens > 0 else { return false }
        tokens -= 1
        return true
    }
}

extension BoxPorts {
    /// Tells the sender of a packet why it goes no further, from the address of the port that the packet came in by.
    ///
    /// No error is sent about an ICMP error, a later fragment, a group address or a sender that is not one host.
    /// - Parameter layout: of the packet as it arrived; the frame's bytes must not have been rewritten yet
    /// Source: RFC 792; RFC 1122, 3.2.2; RFC 1812, 4.3.2
    public mutating func sendICMPError(
        _ error: ICMPError, about frame: Frame, _ layout: FrameLayout, at now: Instant, into output: inout FrameQueue
    ) {
        let packet = UnsafeRawPointer(frame.base) + Int(layout.networkOffset)
        guard let own = self[frame.port].address?.address, layout.fragment != .later,
            !UnsafeRawPointer(frame.base).readMAC(at: 0).isMulticast, layout.fiveTuple.source.isRoutable,
            layout.fiveTuple.destination.isRoutable, !Self.isICMPError(packet, layout),
            let hop = routes.lookup(layout.fiveTuple.source), icmpLimit.take(at: now)
        else { return counters.count(.icmpSuppressed) }
        // As much of the packet as fits into 576 bytes. Source: RFC 1812, 4.3.2.3
        let quoted = min(layout.packetLength, 576 - 28)
        let length = 28 + quoted
        let ip = scratch + 14
        scratch.write(MACAddress.zero, at: 0)
        scratch.write(self[hop.port].sourceMAC, at: 6)
        scratch.write(EtherType.ipv4.rawValue, at: 12)
        // Precedence 6 (internetwork control), no fragmenting. Source: RFC 1812, 4.3.2.5
        ip.write(UInt32(0x45c0_0000) | UInt32(length), at: 0)
        ip.write(UInt32(0x0000_4000), at: 4)
        ip.write(UInt32(0x4001_0000), at: 8)
        ip.write(own, at: 12)
        ip.write(layout.fiveTuple.source, at: 16)
        ip.write(Checksum.of(UnsafeRawBufferPointer(start: ip, count: 20)), at: 10)
        let fields = error.fields
        ip.write(UInt32(fields.type) << 24 | UInt32(fields.code) << 16, at: 20)
        ip.write(fields.rest, at: 24)
        (ip + 28).copyMemory(from: packet, byteCount: quoted)
        ip.write(Checksum.of(UnsafeRawBufferPointer(start: ip + 20, count: length - 20)), at: 22)
        counters.count(.icmpMade)
        sendMade(UnsafeRawBufferPointer(start: scratch, count: 14 + length), to: hop, at: now, into: &output)
    }

    /// Sends a frame that the dataplane made, or lets it wait for its neighbour.
    mutating func sendMade(
        _ bytes: UnsafeRawBufferPointer, to hop: NextHop, at now: Instant, into output: inout FrameQueue
    ) {
        guard self[hop.port].isUp else { return counters.drop(.carrierDown) }
        guard let mac = neighbors.lookup(hop.address, on: hop.port) else {
            return hold(
                Frame(base: scratch, length: Int32(bytes.count), port: hop.port, side: .wire), for: hop, at: now,
                into: &output)
        }
        guard let copy = output.make(length: bytes.count, port: hop.port, side: .wire) else {
            return counters.drop(.outputFull)
        }
        copy.copyMemory(from: bytes)
        copy.baseAddress?.write(mac, at: 0)
        counters.count(.made)
    }

    /// Source: RFC 1122, 3.2.2: destination unreachable, source quench, redirect, time exceeded, parameter problem
    private static func isICMPError(_ packet: UnsafeRawPointer, _ layout: FrameLayout) -> Bool {
        guard layout.ipProtocol == .icmp, layout.hasTransportHeader else { return false }
        // Guard: hasTransportHeader vouches for the ICMP header.
        switch packet.readUInt8(at: Int(layout.transportOffset &- layout.networkOffset)) {
        case 3, 4, 5, 11, 12: return true
        default: return false
        }
    }
}
