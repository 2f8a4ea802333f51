import Dataplane
import LabTime
import Redundancy
import Testing
import Wire

/// One protocol for the sessions of either family.
struct FamilyReplicationTests {
    private static let start = Instant(nanoseconds: 1_000_000_000)

    /// A box of a pair with sessions of one family.
    private struct Box<Family: AddressFamily>: ~Copyable {
        var engine = SessionEngine<Family>(capacity: 64)
        var journal = SessionJournal<Family>(capacity: 64)
        var channel: SyncChannel

        init(_ sender: UInt32) {
            channel = SyncChannel(messageSize: 1472, sender: sender, heartbeatInterval: .milliseconds(20))
            channel.restart(for: 1, at: start)
            journal.beginRecording()
        }

        mutating func open(_ flow: FlowKey<Family>) {
            let layout = IPLayout<Family>(
                fiveTuple: flow, networkOffset: 14, transportOffset: 54, payloadOffset: 74, endOffset: 74,
                fragment: .whole, tcpFlags: .syn, hasTransportHeader: true)
            withUnsafeTemporaryAllocation(byteCount: 80, alignment: 8) {
                _ = engine.evaluate(
                    layout, in: UnsafeRawPointer($0.baseAddress!), from: 0, at: start, reporting: &journal)
            }
        }

        mutating func messages() -> [[UInt8]] {
            var messages: [[UInt8]] = []
            while let next = channel.nextMessage(from: &journal, of: engine, isUrgent: true, at: start) {
                messages.append(Array(next.bytes))
            }
            return messages
        }

        /// - Returns: what came of it, or why it was refused
        mutating func receive(_ message: [UInt8]) -> Result<SyncReception, WireError> {
            message.withUnsafeBytes { bytes in
                do throws(WireError) {
                    return .success(
                        try channel.receive(bytes, into: &engine, &journal, isActive: false, at: start))
                } catch { return .failure(error) }
            }
        }
    }

    private static func ipv4(_ port: UInt16) -> FiveTuple {
        FiveTuple(
            source: IPv4Address(192, 0, 2, 10), destination: IPv4Address(198, 51, 100, 20), sourcePort: port,
            destinationPort: 80, protocol: .tcp)
    }

    private static func ipv6(_ port: UInt16) -> IPv6FiveTuple {
        IPv6FiveTuple(
            source: IPv6Address(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x10),
            destination: IPv6Address(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0x20), sourcePort: port, destinationPort: 80,
            protocol: .tcp)
    }

    @Test func `every session of an IPv6 box reaches its peer, and a removal ends one`() throws {
        var active = Box<IPv6>(1)
        var backup = Box<IPv6>(2)
        for port in UInt16(1)...20 { active.open(Self.ipv6(port)) }
        let first = active.messages()
        var isComplete = false
        for message in first {
            #expect(message[13] == 6)
            isComplete = try backup.receive(message).get().receivedBulkCompleted
        }
        #expect(isComplete && backup.engine.count == 20)
        let known = backup.engine.table.find(Self.ipv6(7))
        #expect(known?.direction == .original)
        // Its session is denied here, and so ends at the peer.
        active.engine.install([], otherwise: .deny, reporting: &active.journal)
        for message in active.messages() { _ = try backup.receive(message).get() }
        #expect(backup.engine.count == 0)
    }

    @Test func `a record that does not fit beside others goes into the next message`() throws {
        var active = Box<IPv6>(1)
        var backup = Box<IPv6>(2)
        for port in UInt16(1)...60 { active.open(Self.ipv6(port)) }
        let messages = active.messages()
        #expect(messages.allSatisfy { $0.count <= 1472 } && messages.count > 4)
        for message in messages { _ = try backup.receive(message).get() }
        #expect(backup.engine.count == 60)
    }

    @Test func `a box refuses sessions of a family that it does not have, and consumes nothing of them`() throws {
        var ipv6 = Box<IPv6>(1)
        var ipv4 = Box<IPv4>(2)
        ipv6.open(Self.ipv6(1))
        ipv4.open(Self.ipv4(1))
        for message in ipv6.messages() {
            let reception = ipv4.receive(message)
            #expect(reception == .failure(WireError(.sync, .forbiddenValue, found: 6, expected: 4)))
        }
        for message in ipv4.messages() {
            let reception = ipv6.receive(message)
            #expect(reception == .failure(WireError(.sync, .forbiddenValue, found: 4, expected: 6)))
        }
        let acknowledgement = ipv4.channel.nextAcknowledgement().map { Array($0) }
        #expect(acknowledgement == nil && ipv4.engine.count == 1 && ipv6.engine.count == 1)
    }

    /// Version 3 had IPv4 alone.
    @Test func `a peer of an older version is refused with its reason, whatever it sends`() throws {
        var old = Box<IPv4>(1)
        var new = Box<IPv4>(2)
        old.open(Self.ipv4(1))
        let statement = PairStatement(epoch: 1, sequence: 1, role: .active, priority: 100, flags: [])
        var messages = old.messages()
        messages.append(Array(old.channel.heartbeat(statement, sessions: 1)))
        for message in messages {
            var bytes = message
            bytes[4] = 3
            bytes[13] = 0
            let refusal = WireError(.sync, .wrongVersion, found: 3, expected: 4)
            let reception = new.receive(bytes)
            #expect(reception == .failure(refusal))
            #expect("\(refusal)" == "cross-connect: the version is 3, not 4")
        }
        #expect(new.engine.count == 0 && new.channel.knownPeerEpoch == 0)
    }
}
