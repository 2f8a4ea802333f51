import Configuration
import LabEvents
import LabTime
import PacketText
import Redundancy
import TestSupport
import Testing
import VirtualNetwork
import Wire

@testable import Appliances

/// A pair without a key, and somebody else on its cross-connect: one forged message costs no peer.
struct FirewallStrangerTests {
    private func settled(key: String? = nil) throws -> FirewallLab {
        let lab = try FirewallLab(configure: { $1.redundancy?.key = key })
        try lab.startBoth()
        lab.run(for: .seconds(1))
        #expect(lab.boxes.map { $0.firewall.role } == [.active, .backup])
        return lab
    }

    /// The last heartbeat of a box with other numbers, and a right checksum.
    private func forged(
        _ lab: FirewallLab, from box: Int, epoch: UInt64? = nil, sequence: UInt64? = nil, names: UInt64? = nil
    ) throws -> [UInt8] {
        let frame = try #require(
            lab.captured.last {
                $0.sender == box && $0.frame.isSync && $0.frame.bytes[47] == SyncKind.heartbeat.rawValue
            }?
            .frame.bytes)
        return rewritten(frame) { base in
            if let epoch { base.write(epoch, at: 16) }
            if let names { base.write(names, at: 24) }
            if let sequence { base.write(sequence, at: 32) }
        }
    }

    private func rewritten(_ frame: [UInt8], _ change: (UnsafeMutableRawPointer) -> Void) -> [UInt8] {
        var payload = Array(frame[42...])
        payload.withUnsafeMutableBytes { buffer in
            change(buffer.baseAddress!)
            buffer.baseAddress!.write(UInt16(0), at: 14)
            buffer.baseAddress!.write(Checksum.of(UnsafeRawBufferPointer(buffer)), at: 14)
        }
        let seen = SeenFrame(bytes: frame)
        return PacketText().bytes(
            seen.flow!.text, payload: payload, timeToLive: 255, from: seen.source, to: seen.destination)
    }

    private func epoch(_ frame: [UInt8]) -> UInt64 { frame[58..<66].reduce(0) { $0 << 8 | UInt64($1) } }

    private func isPeerAlive(_ lab: FirewallLab, _ box: Int) -> Bool {
        lab.boxes[box].firewall.election.receivesHeartbeat
    }

    @Test(arguments: [0, 1], [false, true])
    func `a heartbeat that claims a later life changes nothing while the peer is heard`(box: Int, sendsHello: Bool)
        throws
    {
        let lab = try settled()
        let events = lab.boxes.map(\.events.count)
        let known = epoch(try forged(lab, from: 1 - box))
        for claim in [known + 1, known + 1_000_000_000, .max, known + 2, .max] {
            let frame = try forged(lab, from: 1 - box, epoch: claim, sequence: 1, names: sendsHello ? 0 : nil)
            for _ in 0..<3 { lab.deliver(frame, to: box, port: 2) }
            lab.run(for: .milliseconds(25))
        }
        let received = lab.counter(box, "heartbeat.received")
        lab.run(for: .seconds(1))
        #expect(lab.counter(box, "heartbeat.received") >= received + 45)
        #expect(lab.boxes.map(\.events.count) == events)
        #expect(lab.counter(box, "sync.unconfirmed") == 15)
        #expect(isPeerAlive(lab, 0) && isPeerAlive(lab, 1))
        lab.connect(4000)
        lab.run(for: .milliseconds(50))
        #expect(lab.knows(1, lab.flow(4000)))
    }

    @Test func `a stream of claims does not silence a box, which answers once an interval at most`() throws {
        let lab = try settled()
        let events = lab.boxes.map(\.events.count)
        let known = epoch(try forged(lab, from: 0))
        lab.captured.removeAll()
        for number in 1...2000 as ClosedRange<UInt64> {
            if lab.captured.isEmpty { lab.run(for: .milliseconds(20)) }
            lab.deliver(try forged(lab, from: 0, epoch: known + number, sequence: number), to: 1, port: 2)
            lab.run(for: .milliseconds(1))
        }
        #expect(lab.boxes.map(\.events.count) == events)
        let sent = lab.captured.count { $0.sender == 1 && $0.frame.isSync && $0.frame.bytes[47] == 1 }
        // 100 regular ones in two seconds, and twice as many answers at most.
        #expect((95...310).contains(sent), "\(sent)")
    }

    @Test func `a heartbeat that claims a later life while the peer is silent costs the peer three of its own`() throws
    {
        let lab = try settled()
        let known = epoch(try forged(lab, from: 0))
        let frame = try forged(lab, from: 0, epoch: known + 5_000_000_000, sequence: 9)
        lab.isUp[FirewallLab.crossConnect] = false
        lab.run(for: .milliseconds(100))
        #expect(!isPeerAlive(lab, 1))
        lab.deliver(frame, to: 1, port: 2)
        lab.isUp[FirewallLab.crossConnect] = true
        lab.run(for: .seconds(1))
        #expect(isPeerAlive(lab, 0) && isPeerAlive(lab, 1))
        #expect(lab.boxes.map { $0.firewall.role } == [.active, .backup])
        let received = lab.counter(1, "heartbeat.received")
        lab.run(for: .milliseconds(200))
        #expect(lab.counter(1, "heartbeat.received") >= received + 9)
        lab.connect(4001)
        lab.run(for: .milliseconds(50))
        #expect(lab.knows(1, lab.flow(4001)))
    }

    @Test(arguments: [1000, 60_000, 1 << 40, .max] as [UInt64])
    func `a heartbeat with a far number silences the peer for the heartbeat's bound at most`(ahead: UInt64) throws {
        let lab = try settled()
        lab.deliver(try forged(lab, from: 0, sequence: ahead), to: 1, port: 2)
        lab.run(for: .milliseconds(500))
        #expect(isPeerAlive(lab, 1))
        #expect(lab.boxes.map { $0.firewall.role } == [.active, .backup])
        let received = lab.counter(1, "heartbeat.received")
        lab.run(for: .milliseconds(200))
        #expect(lab.counter(1, "heartbeat.received") >= received + 9)
    }

    @Test func `a peer that starts anew before it was missed is followed`() throws {
        for box in 0..<2 {
            let lab = try settled()
            for port in UInt16(4000)..<4020 { lab.connect(port) }
            lab.run(for: .milliseconds(50))
            lab.powerOff(box)
            lab.run(for: .milliseconds(5))
            try lab.start(box)
            lab.run(for: .seconds(1))
            #expect(isPeerAlive(lab, 0) && isPeerAlive(lab, 1), "box \(box)")
            #expect(lab.boxes.count { $0.firewall.role == .active } == 1, "box \(box)")
            #expect(lab.boxes.map { $0.firewall.sessionCount } == [20, 20], "box \(box)")
        }
    }

    @Test func `a message of a later stream does not cost the peer's stream`() throws {
        let lab = try settled()
        lab.connect(4000)
        lab.run(for: .milliseconds(50))
        let records = try #require(
            lab.captured.last { $0.sender == 0 && $0.frame.isSync && $0.frame.bytes[47] == SyncKind.records.rawValue }?
                .frame.bytes)
        let stream = epoch(records)
        lab.deliver(
            rewritten(records) { base in
                base.write(stream + 1_000_000_000, at: 16)
                base.write(UInt64(1), at: 32)
            }, to: 1, port: 2)
        for port in UInt16(4001)..<4040 { lab.connect(port) }
        lab.run(for: .seconds(1))
        for port in UInt16(4000)..<4040 { #expect(lab.knows(1, lab.flow(port)), "port \(port)") }
        #expect(lab.counter(0, "sync.messages-under-way") == 0)
    }

    @Test func `with a key a stranger's message is reported as a stranger's, and the peer is not refused`() throws {
        let lab = try settled(key: "a secret")
        let other = try settled()
        let frame = try forged(other, from: 0, epoch: .max)
        for _ in 0..<5 { lab.deliver(frame, to: 1, port: 2) }
        #expect(lab.events(1, .syncRefused).isEmpty)
        #expect(lab.events(1, .syncStranger).count == 1)
        #expect(lab.counter(1, "sync.strangers") == 5)
        #expect(lab.counter(1, "sync.discarded.not-authenticated") == 5)
        lab.run(for: .milliseconds(200))
        #expect(isPeerAlive(lab, 1))
    }
}
