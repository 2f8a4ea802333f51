import Dataplane
import LabEvents
import LabTime
import Redundancy
import Wire

extension Firewall {
    /// What the peer says on the cross-connect, but not the conduit's data frames; without one, its advertisements.
    public var controlChannel: ControlChannelFrames? {
        guard let redundancy else { return nil }
        guard let cross = redundancy.crossConnect else { return .packets(.vrrp) }
        return .datagrams(port: cross.port, to: SyncChannel.udpPort...FirewallRedundancy.configurationPort)
    }

    /// Sends what the peer is to know: acknowledgements, new records, and again what it did not acknowledge.
    /// - Parameter isUrgent: records do not wait until a message is full
    mutating func flush(isUrgent: Bool = false, at now: Instant, into output: inout FrameQueue) {
        guard redundancy?.crossConnect != nil else { return }
        while let message = channel.nextOverdue(at: now) {
            tally.recordsResent &+= UInt64(message.records)
            sendToPeer(message.bytes, at: now, into: &output)
        }
        while let message = channel.nextMessage(from: &journal, of: filter, isUrgent: isUrgent, at: now) {
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
        let udpOffset = EthernetHeader.length + IPv4Header.minimumLength
        let offset = udpOffset + UDPHeader.length
        guard offset + message.count + SyncAuthenticator.length <= FrameQueue.longestFrame else { return }
        (scratch + offset).copyMemory(from: source, byteCount: message.count)
        var count = message.count
        if let key = redundancy?.key, port == FirewallRedundancy.configurationPort {
            // The channel's own messages are authentic already.
            let space = UnsafeMutableRawBufferPointer(start: scratch + offset, count: FrameQueue.longestFrame - offset)
            count = SyncAuthenticator.seal(space, count: count, key: key) ?? count
        }
        let length = offset + count
        let udp = UDPHeader(sourcePort: port, destinationPort: port).emit(
            into: UnsafeMutableRawBufferPointer(start: scratch + udpOffset, count: length - udpOffset),
            payloadLength: count, source: cross.ownAddress, destination: cross.peerAddress)
        precondition(udp != nil)
        _ = sendToPeer(.udp, payloadLength: length - udpOffset, at: now, into: &output)
    }

    /// Sends what stands in `scratch` behind the place of an Ethernet and an IPv4 header.
    /// - Returns: whether it left, or waits for the peer's MAC address
    mutating func sendToPeer(
        _ proto: IPProtocol, payloadLength: Int, at now: Instant, into output: inout FrameQueue
    ) -> Bool {
        guard let cross = redundancy?.crossConnect, ports[cross.port].isUp else { return false }
        let length = EthernetHeader.length + IPv4Header.minimumLength + payloadLength
        let frame = UnsafeMutableRawBufferPointer(start: scratch, count: length)
        // Conversation goes first where a link knows classes; data are as they were.
        let ip = IPv4Header(
            source: cross.ownAddress, destination: cross.peerAddress, protocol: proto, timeToLive: 255,
            trafficClass: proto == .udp ? 0xc0 : 0
        ).emit(
            into: UnsafeMutableRawBufferPointer(rebasing: frame[EthernetHeader.length...]),
            payloadLength: payloadLength)
        let peerMAC = ports.neighbors.lookup(cross.peerAddress, on: cross.port)
        let ethernet = EthernetHeader(
            destination: peerMAC ?? .zero, source: ports[cross.port].mac, etherType: .ipv4
        ).emit(into: frame)
        precondition(ip != nil && ethernet != nil)
        guard peerMAC != nil else {
            // The neighbour table keeps a copy and asks for the peer.
            ports.forward(
                Frame(base: scratch, length: Int32(length), port: cross.port, side: .wire),
                to: NextHop(port: cross.port, address: cross.peerAddress), at: now, into: &output)
            return true
        }
        guard let copy = output.make(length: length, port: cross.port, side: .wire) else {
            ports.counters.drop(.outputFull)
            return false
        }
        copy.copyMemory(from: UnsafeRawBufferPointer(frame))
        ports.counters.count(.made)
        return true
    }

    /// Only the peer speaks on the cross-connect, and from this link (RFC 5082).
    func isPeers(_ frame: Frame, _ layout: FrameLayout, _ cross: FirewallRedundancy.CrossConnect) -> Bool {
        // Guard: the layout vouches for the IPv4 header.
        layout.fiveTuple.source == cross.peerAddress && !layout.isFragment
            && UnsafeRawPointer(frame.base).readUInt8(at: Int(layout.networkOffset) + 8) == 255
    }

    mutating func receiveSync(
        _ frame: Frame, _ layout: FrameLayout, from cross: FirewallRedundancy.CrossConnect, at now: Instant,
        into output: inout FrameQueue
    ) {
        guard layout.hasTransportHeader, isPeers(frame, layout, cross) else {
            tally.messagesOfStrangers &+= 1
            return
        }
        let packet = UnsafeRawPointer(frame.base)
        let datagram = UnsafeRawBufferPointer(
            start: packet + Int(layout.transportOffset), count: Int(layout.endOffset - layout.transportOffset))
        var received: SyncReception?
        let (unknownRules, foreign) = (journal.unknownRules, filter.nat.tally.foreign)
        do throws(WireError) {
            let udp = try UDPView(datagram)
            guard udp.isChecksumValid(source: cross.peerAddress, destination: cross.ownAddress) else {
                throw WireError(.udp, .wrongChecksum, found: Int(udp.checksum))
            }
            if udp.destinationPort == FirewallRedundancy.configurationPort {
                let statement =
                    if let key = redundancy?.key { try SyncAuthenticator.open(udp.payload, key: key) } else {
                        udp.payload
                    }
                try receiveConfiguration(statement, at: now, into: &output)
            } else {
                received = try channel.receive(
                    udp.payload, into: &filter, &journal, isActive: isForwarding,
                    isPeerAlive: election.receivesHeartbeat, at: now)
            }
        } catch {
            tally.messageErrors.count(error.reason)
            if error.reason.isRefusal, redundancy?.key != nil, channel.knownPeerEpoch != 0 {
                // The peer has shown that it has the key.
                tally.messagesOfStrangers &+= 1
                return tellStranger(error, at: now)
            }
            tell(of: error, at: now)
            if error.reason.isRefusal {
                election.peerIsForeign(at: now)
                carryOut(at: now, into: &output)
            }
            return
        }
        guard let reception = received else { return }
        if journal.unknownRules > unknownRules { tellUnknownRule(at: now) }
        if filter.nat.tally.foreign > foreign { tellUnknownPool(at: now) }
        if reception.isDuplicate { tally.messagesRepeated &+= 1 }
        tally.recordsApplied &+= UInt64(reception.applied)
        tally.recordsRefused &+= UInt64(reception.refused)
        tally.recordsAcknowledged &+= UInt64(reception.acknowledged)
        if reception.acknowledged > 0, deferred.count > 0 { releaseDeferred(at: now, into: &output) }
        if reception.isHello {
            tally.hellos &+= 1
            // A later one of the same life is answered by the next regular heartbeat.
            if reception.isFirstHello {
                election.receiveHello(at: now)
                carryOut(at: now, into: &output)
            }
        }
        if let epoch = reception.unconfirmedEpoch {
            tally.unconfirmedEpochs &+= 1
            let pause = (redundancy?.settings.heartbeat?.interval ?? .seconds(1)) / 2
            // Once an interval, so that a peer that started anew hears this box, and nobody can make it send more.
            if answeredAt.map({ now - $0 >= pause }) ?? true {
                answeredAt = now
                channel.answer(epoch)
                election.receiveHello(at: now)
                carryOut(at: now, into: &output)
            }
        }
        if let statement = reception.statement {
            if election.receive(statement, startsOver: reception.startsOver, at: now) {
                tally.heartbeatsReceived &+= 1
            } else {
                tally.heartbeatsStale &+= 1
            }
            carryOut(at: now, into: &output)
        }
        if reception.sentBulkCompleted {
            report(.syncComplete, at: now, [.direction: "sent", .sessions: String(filter.count)])
        }
        if reception.receivedBulkCompleted {
            report(.syncComplete, at: now, [.direction: "received", .sessions: String(filter.count)])
            election.sessionsComplete(at: now)
            carryOut(at: now, into: &output)
        }
    }

    /// Says that the peer's sessions come from rules that this box does not have, at most once in ten seconds.
    private mutating func tellUnknownRule(at now: Instant) {
        guard unknownRuleToldAt.map({ now - $0 >= .seconds(10) }) ?? true else { return }
        unknownRuleToldAt = now
        report(
            .syncRuleUnknown, at: now,
            [
                .peer: redundancy?.peer ?? "",
                .reason: "the peer's sessions come from a rule that this box does not have",
            ])
    }

    /// Says that the peer translates to an address that is in no pool here, at most once in ten seconds: should this box
    /// take over, answers for such sessions do not come to it.
    private mutating func tellUnknownPool(at now: Instant) {
        guard unknownPoolToldAt.map({ now - $0 >= .seconds(10) }) ?? true else { return }
        unknownPoolToldAt = now
        report(
            .syncPoolUnknown, at: now,
            [
                .peer: redundancy?.peer ?? "",
                .external: filter.nat.tally.lastForeign.map { "\($0)" } ?? "",
                .reason: "the peer's sessions have an external address and port that no NAT pool of this box has",
            ])
    }

    /// Says that somebody else than the peer sent a message, at most once in ten seconds.
    private mutating func tellStranger(_ error: WireError, at now: Instant) {
        guard strangerToldAt.map({ now - $0 >= .seconds(10) }) ?? true else { return }
        strangerToldAt = now
        report(.syncStranger, at: now, [.peer: redundancy?.peer ?? "", .reason: Self.words(error)])
    }

    private static func words(_ error: WireError) -> String {
        error.reason == .wrongVersion
            ? "the peer speaks version \(error.found) of the protocol, this box version \(error.expected)"
            : "\(error)"
    }

    /// Says why the peer cannot be understood, at most once in ten seconds for each reason.
    private mutating func tell(of error: WireError, at now: Instant) {
        guard error.reason.isRefusal, let redundancy,
            refusalsTold[error.reason].map({ now - $0 >= .seconds(10) }) ?? true
        else { return }
        refusalsTold[error.reason] = now
        report(.syncRefused, at: now, [.peer: redundancy.peer, .reason: Self.words(error)])
    }
}

extension WireError.Reason {
    /// Reasons for which a whole, undamaged message is refused: its sender is set otherwise than this box.
    fileprivate var isRefusal: Bool {
        switch self {
        case .wrongVersion, .notAuthenticated, .unexpectedAuthenticator, .wrongAuthenticator: true
        default: false
        }
    }
}
