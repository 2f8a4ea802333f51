import Appliances
import Configuration
import LabEvents
import LabTime
import PacketText
import Redundancy
import TestSupport
import Testing
import VirtualNetwork
import Wire

/// Messages of the cross-connect under a key, and of lives that are over.
struct FirewallKeyTests {
    func lab(_ keys: [String?]) throws -> FirewallLab {
        let lab = try FirewallLab(configure: { $1.redundancy?.key = keys[$0] })
        try lab.startBoth()
        lab.run(for: .seconds(1))
        return lab
    }

    func frames(_ lab: FirewallLab, from box: Int, _ kind: SyncKind) -> [[UInt8]] {
        lab.captured.filter { $0.sender == box && $0.frame.isSync && $0.frame.bytes[47] == kind.rawValue }
            .map(\.frame.bytes)
    }

    @Test func `a pair with one key works, and every message carries an authenticator`() throws {
        let lab = try lab(["a secret", "a secret"])
        lab.connect(4000)
        lab.run(for: .milliseconds(50))
        #expect(lab.knows(1, lab.flow(4000)))
        #expect(lab.boxes.map { $0.firewall.role } == [.active, .backup])
        let messages = lab.captured.filter { $0.frame.isSync }
        #expect(messages.count > 20)
        #expect(messages.allSatisfy { $0.frame.bytes[42 + 12] == 16 })
    }

    @Test(arguments: [
        ["one", "another", "wrong-authenticator", "made with another key"],
        [nil, "another", "not-authenticated", "no authenticator, and this box has a key"],
        ["one", nil, "unexpected-authenticator", "carries an authenticator, and this box has no key"],
    ])
    func `a peer with another key is refused with the reason, told once, and changes nothing`(
        _ scene: [String?]
    ) throws {
        let lab = try lab([scene[0], scene[1]])
        let told = lab.events(1, .syncRefused)
        #expect(told.count == 1)
        #expect(told.first?.details[.reason]?.contains(scene[3] ?? "?") == true, "\(told)")
        #expect(told.first?.details[.peer] == "fw-a")
        #expect(lab.counter(1, "sync.discarded." + (scene[2] ?? "")) > 10)
        #expect(lab.counter(1, "heartbeat.received") == 0)
        // Advertisements alone decide then.
        #expect(lab.boxes.map { $0.firewall.role } == [.active, .backup])
        lab.connect(4000)
        lab.run(for: .milliseconds(50))
        #expect(!lab.knows(1, lab.flow(4000)))
    }

    @Test func `a peer that speaks another version is refused in words`() throws {
        let lab = try lab([nil, nil])
        var frame = try #require(frames(lab, from: 0, .heartbeat).last)
        frame[42 + 4] = 1
        let payload = Array(frame[42...])
        let seen = SeenFrame(bytes: frame)
        let flow = try #require(seen.flow)
        for _ in 0..<5 {
            let bytes = PacketText().bytes(
                flow.text, payload: payload, timeToLive: 255, from: seen.source, to: seen.destination)
            lab.deliver(bytes, to: 1, port: 2)
        }
        let told = lab.events(1, .syncRefused)
        #expect(told.map { $0.details[.reason] } == ["the peer speaks version 1 of the protocol, this box version 4"])
        #expect(lab.counter(1, "sync.discarded.wrong-version") == 5)
    }

    @Test func `what was recorded before a restart is refused after it, every message of it`() throws {
        let lab = try lab(["a secret", "a secret"])
        for port in UInt16(4000)..<4020 { lab.connect(port) }
        lab.run(for: .milliseconds(100))
        let recorded = lab.captured.filter { $0.sender == 0 && $0.frame.isSync }.map(\.frame.bytes)
        // The box that heard them starts anew; whoever recorded them is quicker than its peer.
        lab.isUp[FirewallLab.crossConnect] = false
        lab.powerOff(1)
        lab.run(for: .milliseconds(10))
        try lab.start(1)
        let before = lab.boxes[1].firewall.sessionCount
        for frame in recorded { lab.deliver(frame, to: 1, port: 2) }
        #expect(before == 0 && lab.boxes[1].firewall.sessionCount == 0)
        #expect(lab.counter(1, "heartbeat.received") == 0)
        #expect(lab.counter(1, "sync.greetings") + lab.counter(1, "sync.discarded.replayed") >= UInt64(recorded.count))
        #expect(lab.events(1, .peerUp).count == 1, "the one of its former life")
        lab.isUp[FirewallLab.crossConnect] = true
        lab.run(for: .milliseconds(300))
        #expect(lab.boxes[1].firewall.sessionCount == 20)
    }

    @Test func `every message repeated to a settled pair is counted and changes nothing`() throws {
        let lab = try lab(["a secret", "a secret"])
        for port in UInt16(4000)..<4010 { lab.connect(port) }
        lab.run(for: .milliseconds(100))
        let recorded = lab.captured.filter { $0.frame.isSync }
        let states = lab.boxes.map { ($0.firewall.role, $0.firewall.sessionCount) }
        let events = lab.boxes.map(\.events.count)
        for (_, _, sender, frame) in recorded { lab.deliver(frame.bytes, to: 1 - sender, port: 2) }
        for box in 0..<2 {
            #expect(lab.boxes[box].firewall.role == states[box].0)
            #expect(lab.boxes[box].firewall.sessionCount == states[box].1)
            #expect(lab.boxes[box].events.count == events[box])
            let counted =
                lab.counter(box, "heartbeat.stale") + lab.counter(box, "sync.discarded.replayed")
                + lab.counter(box, "sync.repeated") + lab.counter(box, "sync.greetings")
            let acknowledgements = recorded.filter { $0.sender == 1 - box && $0.frame.bytes[47] == 3 }.count
            #expect(counted + UInt64(acknowledgements) >= UInt64(recorded.filter { $0.sender == 1 - box }.count))
        }
    }

    @Test func `forged advertisements change nothing while the peer's heartbeat is heard, and are counted`() throws {
        let lab = try lab(["a secret", "a secret"])
        let forged = PacketText().bytes(
            "vrrp 192.0.2.77 > 224.0.0.18 vrid 10 prio 254 interval 10 addresses 192.0.2.1",
            from: MACAddress(2, 0, 0, 0, 9, 9), to: .multicast(for: IPv4Address.vrrpRouters))
        let events = lab.boxes.map(\.events.count)
        for _ in 0..<20 {
            lab.deliver(forged, to: 0, port: 0)
            lab.deliver(forged, to: 1, port: 0)
            lab.run(for: .milliseconds(30))
        }
        #expect(lab.boxes.map { $0.firewall.role } == [.active, .backup])
        #expect(lab.boxes.map(\.events.count) == events)
        #expect(lab.counter(0, "vrrp.overruled") == 20)
    }
}
