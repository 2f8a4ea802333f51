import Dataplane
import LabTime
import Redundancy
import Testing
import Wire

struct SyncChannelTests {
    private static let start = Instant(nanoseconds: 1_000_000_000)

    private func session(_ port: UInt16) -> SyncRecord<IPv4> {
        .session(
            SessionRecord(
                flow: FiveTuple(
                    source: IPv4Address(192, 0, 2, 10), destination: IPv4Address(198, 51, 100, 20), sourcePort: port,
                    destinationPort: 80, protocol: .udp),
                originatorState: SideState.synSent.rawValue, responderState: SideState.closed.rawValue, flags: [],
                rule: 0, remainingMilliseconds: 60_000))
    }

    private func channel(_ sender: UInt32) -> SyncChannel {
        SyncChannel(messageSize: 1472, sender: sender, heartbeatInterval: .milliseconds(20))
    }

    /// An Active's sessions, and its channel with a message under way, so that another record waits for company.
    private final class Busy {
        var channel = SyncChannel(messageSize: 1472, sender: 1, heartbeatInterval: .milliseconds(20))
        var sessions = ReplicatedSessions(capacity: 64)

        init(_ first: SyncRecord<IPv4>, _ second: SyncRecord<IPv4>) {
            sessions.journal.continueRecording()
            channel.restart(for: 1, at: start)
            sessions.apply(first, at: start)
            #expect(records(at: start) == 1)
            sessions.apply(second, at: start)
            #expect(records(at: start) == nil)
        }

        func records(at now: Instant) -> Int? {
            sessions.nextMessage(through: &channel, at: now)?.records
        }
    }

    @Test func `a record that waits for company leaves alone when its time has come`() {
        let busy = Busy(session(1), session(2))
        let due = Self.start + .milliseconds(1)
        #expect(busy.channel.deadline == due && busy.channel.messagesUnderWay == 1)
        #expect(busy.records(at: due) == 1)
        #expect(busy.channel.deadline == Self.start + .milliseconds(20) && busy.channel.messagesUnderWay == 2)
    }

    @Test(arguments: [(true, true, 3), (true, false, 3), (false, true, 3), (false, false, 2)])
    func `a transfer removes what it does not mention only from a box that was Backup all the time`(
        activeAtBegin: Bool, activeAtEnd: Bool, known: Int
    ) throws {
        var sender = channel(1)
        var receiver = channel(2)
        var active = ReplicatedSessions(capacity: 64)
        var backup = ReplicatedSessions(capacity: 64)
        for port in UInt16(1)...2 { active.apply(session(port), at: Self.start) }
        // One is known already, and one here alone.
        for port in UInt16(2)...3 { backup.apply(session(port), at: Self.start) }
        sender.restart(for: 1, at: Self.start)
        active.journal.beginRecording()
        var messages: [[UInt8]] = []
        while let message = active.nextMessage(through: &sender, isUrgent: true, at: Self.start) {
            messages.append(Array(message.bytes))
        }
        #expect(messages.count == 3)
        for (number, message) in messages.enumerated() {
            let isActive = number < 2 ? activeAtBegin : activeAtEnd
            if isActive { backup.journal.keepUnmentioned() }
            let reception = try message.withUnsafeBytes {
                try receiver.receive($0, into: &backup.engine, &backup.journal, isActive: isActive, at: Self.start)
            }
            #expect(reception.receivedBulkCompleted == (number == 2))
        }
        #expect(backup.count == known)
    }

    @Test func `where what waited for company was forgotten meanwhile, no deadline stays that would be due for ever`() {
        let busy = Busy(session(1), session(2))
        busy.sessions.journal.discardRecords()
        let due = Self.start + .milliseconds(1)
        #expect(busy.records(at: due) == nil)
        #expect(busy.channel.deadline == Self.start + .milliseconds(20))
    }
}
