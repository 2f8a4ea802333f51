import Dataplane
import LabTime
import Redundancy
import Wire

extension Firewall {
    /// Sends what the peer is to know: acknowledgements, new records, and again what it did not acknowledge.
    mutating func flush(at now: Instant, into output: inout FrameQueue) {
        guard redundancy?.crossConnect != nil else { return }
        while let message = channel.nextOverdue(at: now) {
            tally.recordsResent &+= UInt64(message.records)
            sendToPeer(message.bytes, at: now, into: &output)
        }
        while let message = channel.nextMessage(from: &filter, at: now) {
            tally.recordsSent &+= UInt64(message.records)
            sendToPeer(message.bytes, at: now, into: &output)
        }
        if let message = channel.nextAcknowledgement() { sendToPeer(message, at: now, into: &output) }
    }

    /// Sends a message as UDP over the cross-connect; while the peer's MAC address is asked for, it waits.
    mutating func sendToPeer(
        _ message: UnsafeRawBufferPointer, port: UInt16 = SyncChannel.udpPort, at now: Instant,
        into output: inout FrameQueue
    ) {
        guard let cross = redundancy?.crossConnect, let source = message.baseAddress else { return }
        guard ports[cross.port].isUp else { return }
        let udpOffset = EthernetHeader.length + IPv4Header.minimumLength
        let offset = udpOffset + UDPHeader.length
        let length = offset + message.count
        guard length <= FrameQueue.slotSize else { return }
        let frame = UnsafeMutableRawBufferPointer(start: scratch, count: length)
        (scratch + offset).copyMemory(from: source, byteCount: message.count)
        let udp = UDPHeader(sourcePort: port, destinationPort: port).emit(
            into: UnsafeMutableRawBufferPointer(rebasing: frame[udpOffset...]), payloadLength: message.count,
            source: cross.ownAddress, destination: cross.peerAddress)
        let ip = IPv4Header(
            source: cross.ownAddress, destination: cross.peerAddress, protocol: .udp, timeToLive: 255,
            trafficClass: 0xc0
        ).emit(
            into: UnsafeMutableRawBufferPointer(rebasing: frame[EthernetHeader.length...]),
            payloadLength: UDPHeader.length + message.count)
        let peerMAC = ports.neighbors.lookup(cross.peerAddress, on: cross.port)
        let ethernet = EthernetHeader(
            destination: peerMAC ?? .zero, source: ports[cross.port].mac, etherType: .ipv4
        ).emit(into: frame)
        precondition(udp != nil && ip != nil && ethernet != nil)
        guard peerMAC != nil else {
            // The neighbour table keeps a copy and asks for the peer.
            return ports.forward(
                Frame(base: scratch, length: Int32(length), port: cross.port, side: .wire),
                to: NextHop(port: cross.port, address: cross.peerAddress), at: now, into: &output)
        }
        guard let copy = output.make(length: length, port: cross.port, side: .wire) else {
            return ports.counters.drop(.outputFull)
        }
        copy.copyMemory(from: UnsafeRawBufferPointer(frame))
        ports.counters.count(.made)
    }

    mutating func receiveSync(
        _ frame: Frame, _ layout: FrameLayout, from cross: FirewallRedundancy.CrossConnect, at now: Instant,
        into output: inout FrameQueue
    ) {
        // Only the peer speaks here, and from this link (RFC 5082).
        let packet = UnsafeRawPointer(frame.base)
        guard layout.fiveTuple.source == cross.peerAddress, !layout.isFragment, layout.hasTransportHeader,
            packet.readUInt8(at: Int(layout.networkOffset) + 8) == 255
        else {
            tally.messagesOfStrangers &+= 1
            return
        }
        let datagram = UnsafeRawBufferPointer(
            start: packet + Int(layout.transportOffset), count: Int(layout.endOffset - layout.transportOffset))
        var received: SyncReception?
        do throws(WireError) {
            let udp = try UDPView(datagram)
            guard udp.isChecksumValid(source: cross.peerAddress, destination: cross.ownAddress) else {
                throw WireError(.udp, .wrongChecksum, found: Int(udp.checksum))
            }
            if udp.destinationPort == FirewallRedundancy.configurationPort {
                try receiveConfiguration(udp.payload, at: now, into: &output)
            } else {
                received = try channel.receive(udp.payload, into: &filter, isActive: isForwarding, at: now)
            }
        } catch {
            tally.messageErrors.count(error.reason)
            return
        }
        guard let reception = received else { return }
        tally.recordsApplied &+= UInt64(reception.applied)
        tally.recordsRefused &+= UInt64(reception.refused)
        tally.recordsAcknowledged &+= UInt64(reception.acknowledged)
        if let statement = reception.statement {
            if election.receive(statement, at: now) {
                tally.heartbeatsReceived &+= 1
            } else {
                tally.heartbeatsStale &+= 1
            }
            carryOut(at: now, into: &output)
        }
        if reception.sentBulkCompleted {
            report("sync-complete", at: now, ["direction": "sent", "sessions": String(filter.count)])
        }
        if reception.receivedBulkCompleted {
            report("sync-complete", at: now, ["direction": "received", "sessions": String(filter.count)])
            election.sessionsComplete(at: now)
            carryOut(at: now, into: &output)
        }
    }
}
