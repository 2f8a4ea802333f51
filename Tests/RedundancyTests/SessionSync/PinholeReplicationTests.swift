import Dataplane
import LabTime
import Redundancy
import Testing
import Wire

struct PinholeReplicationTests {
    private typealias Box = ReplicatedSessions
    private static let control = Box.flow(4000, to: 21)

    private static func box(_ gateways: [ApplicationGateway] = [.ftp]) -> ReplicatedSessions {
        let rule = FilterRule(name: "ftp", action: .allow, protocol: .tcp, destinationPorts: 21...21)
        return ReplicatedSessions(capacity: 64, rules: [rule], otherwise: .deny, gateways: gateways)
    }

    private static func expected(_ port: UInt16) -> FiveTuple { Box.flow(0, to: port) }

    private static func connect(_ box: inout ReplicatedSessions) {
        _ = box.evaluate(control, .syn)
        _ = box.evaluate(control.reversed, [.syn, .ack])
        _ = box.evaluate(control, .ack)
    }

    /// The question and the reply that opens a pinhole to the server's port.
    private static func agree(on port: UInt16, _ box: inout ReplicatedSessions) {
        _ = box.evaluate(control, payload: "PASV\r\n")
        _ = box.evaluate(
            control.reversed, payload: "227 Entering Passive Mode (198,51,100,20,\(port >> 8),\(port & 0xff))\r\n")
    }

    private static func record(_ port: UInt16, of control: FiveTuple = control) -> SyncRecord<IPv4> {
        .pinhole(PinholeRecord(expected: expected(port), control: control, remainingMilliseconds: 60_000))
    }

    private static func pinholes(_ box: borrowing ReplicatedSessions) -> [FiveTuple] {
        box.engine.gateways.allPinholes().map(\.flow)
    }

    @Test func `an announcement crosses behind its control connection, and waits for the message that has it`() throws {
        var active = Self.box()
        var peer = Self.box()
        active.journal.continueRecording()
        Self.connect(&active)
        let handshake = active.send(to: &peer)
        #expect(handshake.count == 1)
        active.journal.isDeferring = true
        Self.agree(on: 3000, &active)
        let match = active.engine.table.find(Self.control)
        let index = try #require(match).index
        #expect(active.journal.isAwaited(index) && active.journal.message(with: index) == nil)
        var records: [SyncRecord<IPv4>] = []
        while case .record(let record)? = active.nextRecord(for: 7) {
            records.append(record)
            peer.apply(record)
        }
        #expect(records.count == 2 && records.last == Self.record(3000))
        #expect(active.journal.message(with: index) == 7)
        #expect(Self.pinholes(peer) == [Self.expected(3000)])
    }

    @Test func `a whole transfer brings every pinhole and takes those away that it does not mention`() {
        var active = Self.box()
        var peer = Self.box()
        Self.connect(&active)
        Self.agree(on: 3000, &active)
        peer.apply(Self.record(3999, of: Box.flow(4999, to: 21)))
        #expect(Self.pinholes(peer) == [Self.expected(3999)])
        active.journal.beginRecording()
        _ = active.send(to: &peer)
        #expect(Self.pinholes(peer) == [Self.expected(3000)])
    }

    @Test func `what the peer announced is late for a box that has moved on, and nothing to one without the gateway`() {
        var active = Self.box()
        Self.connect(&active)
        Self.agree(on: 3000, &active)
        active.apply(Self.record(2999), onlyNew: true)
        #expect(Self.pinholes(active) == [Self.expected(3000)])
        // Opened in an earlier term: the predecessor's record is newer.
        active.journal.beginTerm()
        active.apply(Self.record(2999), onlyNew: true)
        #expect(Self.pinholes(active) == [Self.expected(2999)])
        var without = Self.box([])
        let applied = without.apply(Self.record(2999))
        #expect(applied && Self.pinholes(without).isEmpty)
    }
}
