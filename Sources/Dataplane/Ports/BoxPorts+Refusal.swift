public import LabTime
import Mutants
public import Wire

extension BoxPorts {
    /// Tells the sender of a packet that its destination's port is unreachable, in the destination's name and with the
    /// minimal quote: the header and eight bytes, 28 where there are no options. Back where the frame came from.
    ///
    /// Nothing is sent where RFC 1122 forbids an error, or beyond the limit of 1000 a second; both are counted.
    /// Source: VMware article 322035 ("ICMP 10.… tcp port 4000 unreachable, length 36"); RFC 792
    public mutating func refuse(
        _ frame: Frame, _ packet: PacketView, at now: Instant, into output: inout FrameQueue
    ) {
        let buffer = UnsafeMutableRawBufferPointer(start: scratch, count: FrameQueue.longestFrame)
        guard packet.mayBeAnsweredWithError, icmpLimit.take(at: now),
            let length = FrameBuilder.icmpError(
                .unreachable(code: ICMPv4UnreachableCode.port), about: packet, quote: .minimal,
                from: packet.destination, mac: packet.destinationMAC, into: buffer)
        else { return counters.count(.icmpSuppressed) }
        if answer(frame, length, into: &output) { counters.count(.icmpMade) }
    }

    /// Answers a TCP segment with the reset that its destination would send for a closed port.
    public mutating func reset(
        _ frame: Frame, _ packet: PacketView, into output: inout FrameQueue
    ) {
        let buffer = UnsafeMutableRawBufferPointer(start: scratch, count: FrameQueue.longestFrame)
        guard !packet.destinationMAC.isMulticast, !packet.destination.isMulticast,
            let length = FrameBuilder.tcpReset(refusing: packet, mac: packet.destinationMAC, into: buffer)
        else { return }
        _ = answer(frame, length, into: &output)
    }

    /// Sends what is in `scratch` out of the side that a frame came in by.
    private mutating func answer(_ frame: Frame, _ length: Int, into output: inout FrameQueue) -> Bool {
        guard frame.side == .host || self[frame.port].isUp else {
            counters.drop(.carrierDown)
            return false
        }
        guard let copy = output.make(length: length, port: frame.port, side: frame.side) else {
            counters.drop(.outputFull)
            return false
        }
        copy.copyMemory(from: UnsafeRawBufferPointer(start: scratch, count: length))
        counters.count(.made)
        return true
    }

    /// Sends a frame out of a port as it came in, addresses included: a bump in the wire.
    public mutating func passThrough(_ frame: Frame, by port: PortIndex, into output: inout FrameQueue) {
        guard Int(port) < count, self[port].isUp else { return counters.drop(.carrierDown) }
        if Mutant.isTurn(.dropsEach50th, each: 50) { return counters.count(.forwarded) }
        guard output.append(Frame(base: frame.base, length: frame.length, port: port, side: .wire)) else {
            return counters.drop(.outputFull)
        }
        counters.count(.forwarded)
        if Mutant.isOn(.forwardsTwice) || Mutant.isTurn(.forwardsEach100thTwice, each: 100) { output.appendLast() }
        if Mutant.isTurn(.straysEach200th, each: 200) { output.makeStray(port: port, from: self[port].mac) }
    }

    /// As `passThrough`, for a frame in memory that does not stay until the queue is transmitted.
    public mutating func passCopy(_ frame: Frame, by port: PortIndex, into output: inout FrameQueue) {
        guard Int(port) < count, self[port].isUp else { return counters.drop(.carrierDown) }
        guard let copy = output.make(length: Int(frame.length), port: port, side: .wire) else {
            return counters.drop(.outputFull)
        }
        copy.copyMemory(from: UnsafeRawBufferPointer(frame.bytes))
        counters.count(frame.side == .host ? .fromHost : .forwarded)
    }
}
