import Appliances
import Configuration
import Dataplane
import LabEvents
import LabTime
import PacketText
import Redundancy
import TestSupport
import Testing
import VirtualNetwork
import Wire

struct FirewallBadInputTests {
    func settled() throws -> FirewallLab {
        let lab = try FirewallLab()
        try lab.startBoth()
        lab.run(for: .milliseconds(50))
        return lab
    }

    /// A genuine cross-connect frame from box 0 to box 1.
    func genuine(_ lab: FirewallLab, isRecords: Bool) throws -> [UInt8] {
        lab.captured.removeAll()
        lab.isUp[FirewallLab.crossConnect] = false
        if isRecords { lab.connect(4000) } else { lab.run(for: .milliseconds(30)) }
        lab.isUp[FirewallLab.crossConnect] = true
        let kind = isRecords ? SyncKind.records : .heartbeat
        let frame = lab.captured.first {
            $0.sender == 0 && $0.frame.isSync && $0.frame.bytes[14 + 20 + 8 + 5] == kind.rawValue
        }
        return try #require(frame?.frame.bytes)
    }

    /// Writes the UDP payload anew, with right checksums of IPv4 and UDP.
    func rewrap(_ frame: [UInt8], _ change: (inout [UInt8]) -> Void) -> [UInt8] {
        var payload = Array(frame[42...])
        change(&payload)
        let seen = SeenFrame(bytes: frame)
        return PacketText().bytes(
            seen.flow!.text, payload: payload, timeToLive: 255, from: seen.source, to: seen.destination)
    }

    @Test(arguments: [false, true])
    func `a cross-connect message with any one byte changed is counted and changes nothing`(isRecords: Bool) throws {
        let lab = try settled()
        let frame = try genuine(lab, isRecords: isRecords)
        let sessions = lab.boxes[1].firewall.sessionCount
        for index in 0..<(frame.count - 42) {
            let discarded = discards(lab)
            lab.deliver(rewrap(frame) { $0[index] ^= 0x5a }, to: 1, port: 2)
            #expect(discards(lab) == discarded + 1, "byte \(index)")
        }
        #expect(lab.boxes[1].firewall.sessionCount == sessions)
        #expect(lab.boxes[1].firewall.role == .backup)
    }

    @Test(arguments: [false, true])
    func `a cross-connect message cut off anywhere is counted and changes nothing`(isRecords: Bool) throws {
        let lab = try settled()
        let frame = try genuine(lab, isRecords: isRecords)
        let sessions = lab.boxes[1].firewall.sessionCount
        for length in 0..<(frame.count - 42) {
            let discarded = discards(lab)
            lab.deliver(rewrap(frame) { $0.removeLast($0.count - length) }, to: 1, port: 2)
            #expect(discards(lab) == discarded + 1, "length \(length)")
        }
        #expect(lab.boxes[1].firewall.sessionCount == sessions)
    }

    func discards(_ lab: FirewallLab) -> UInt64 {
        lab.boxes[1].firewall.counters.filter { $0.name.hasPrefix("sync.discarded.") }.reduce(0) { $0 + $1.value }
    }

    @Test func `a cross-connect message of another version is told apart`() throws {
        let lab = try settled()
        let frame = try genuine(lab, isRecords: false)
        lab.deliver(rewrap(frame) { $0[4] = SyncHeader.version + 1 }, to: 1, port: 2)
        #expect(lab.counter(1, "sync.discarded.wrong-version") == 1)
    }

    @Test func `a replayed handover changes nothing`() throws {
        let lab = try settled()
        lab.captured.removeAll()
        _ = lab.perform(0, .switchover)
        let handover = try #require(lab.captured.first { $0.sender == 0 && $0.frame.isSync }?.frame.bytes)
        lab.run(for: .milliseconds(200))
        _ = lab.perform(1, .switchover)
        lab.run(for: .milliseconds(200))
        #expect(lab.boxes[0].firewall.role == .active)
        lab.deliver(handover, to: 1, port: 2)
        #expect(lab.boxes[1].firewall.role == .backup)
        #expect(lab.counter(1, "heartbeat.stale") >= 1)
    }

    @Test func `a cross-connect message that is not the peer's, or was routed, is nobody's`() throws {
        let lab = try settled()
        let frame = try genuine(lab, isRecords: false)
        let seen = SeenFrame(bytes: frame)
        var flow = try #require(seen.flow)
        let payload = Array(frame[42...])
        func deliver(timeToLive: UInt8) {
            let bytes = PacketText().bytes(
                flow.text, payload: payload, timeToLive: timeToLive, from: seen.source, to: seen.destination)
            lab.deliver(bytes, to: 1, port: 2)
        }
        deliver(timeToLive: 254)
        flow.source = IPv4Address(10, 0, 0, 3)
        deliver(timeToLive: 255)
        #expect(lab.counter(1, "sync.strangers") == 2)
    }

    @Test func `advertisements that are malformed, routed or another router's are counted and change nothing`() throws {
        let lab = try settled()
        func advertisement(_ fields: String) -> [UInt8] {
            PacketText().bytes(
                "vrrp 192.0.2.77 > 224.0.0.18 \(fields) prio 250 interval 10 addresses 192.0.2.1",
                from: MACAddress(2, 0, 0, 0, 9, 9), to: .multicast(for: IPv4Address.vrrpRouters))
        }
        let genuine = advertisement("vrid 10")
        var wrong = genuine
        wrong[36] ^= 1
        lab.deliver(wrong, to: 0, port: 0)
        #expect(lab.counter(0, "vrrp.discarded.wrong-checksum") == 1)
        lab.deliver(advertisement("ttl 254 vrid 10"), to: 0, port: 0)
        #expect(lab.counter(0, "vrrp.not-local") == 1)
        lab.deliver(advertisement("vrid 11"), to: 0, port: 0)
        #expect(lab.counter(0, "vrrp.other-router") == 1)
        #expect(lab.boxes[0].firewall.role == .active)
    }

    @Test(arguments: VRRPChecksum.allCases)
    func `an advertisement is understood with either checksum`(checksum: VRRPChecksum) throws {
        let lab = try settled()
        let received = lab.counter(1, "vrrp.received")
        var frame = PacketText().bytes(
            "vrrp 192.0.2.2 > 224.0.0.18 vrid 10 prio 200 interval 10 addresses 192.0.2.1",
            from: FirewallLab.mac(0, 0), to: .multicast(for: IPv4Address.vrrpRouters))
        frame.withUnsafeMutableBytes { buffer in
            let message = UnsafeMutableRawBufferPointer(rebasing: buffer[34...])
            let written = VRRPHeader(version: .v3, id: 10, priority: 200, centiseconds: 10).emit(
                into: message, addresses: [IPv4Address(192, 0, 2, 1)], checksum: checksum,
                source: IPv4Address(192, 0, 2, 2))
            #expect(written == message.count)
        }
        lab.deliver(frame, to: 1, port: 0)
        #expect(lab.counter(1, "vrrp.received") == received + 1)
    }

    @Test func `a full session table refuses new sessions and keeps the established ones`() throws {
        let lab = try FirewallLab(sessionCapacity: 10)
        try lab.startBoth()
        lab.run(for: .milliseconds(50))
        for port in UInt16(1000)..<1015 { lab.connect(port) }
        #expect(lab.boxes[0].firewall.sessionCount == 10)
        #expect(lab.counter(0, "drop.flow-table-full") == 5)
        lab.send(lab.flow(1000), .ack, payload: 9, from: lab.client)
        lab.run(for: .milliseconds(1))
        #expect(lab.server.received.last?.frame.layout?.payloadLength == 9)
    }

    @Test func `a configuration that cannot be is refused in words`() {
        let ports = [
            PortConfiguration(
                name: "outside", mac: FirewallLab.mac(0, 0),
                address: IPv4InterfaceAddress(IPv4Address(192, 0, 2, 2), prefixLength: 24))
        ]
        var pair = RedundancyConfiguration(
            peer: "fw-b", priority: 200, preempts: true, usesVirtualMAC: false,
            advertisementInterval: .milliseconds(100), heartbeatInterval: .milliseconds(20), heartbeatMisses: 3,
            crossConnect: nil,
            virtualRouters: [VirtualRouterConfiguration(port: "inside", id: 1, addresses: [IPv4Address(192, 0, 2, 1)])])
        func message() -> String {
            do throws(ConfigurationError) {
                _ = try Firewall(FirewallConfiguration(name: "fw-a", ports: ports, routes: [], redundancy: pair))
                return ""
            } catch { return error.description }
        }
        #expect(message() == "fw-a has no port 'inside' for virtual router 1; its ports are outside")
        pair.virtualRouters[0].port = "outside"
        #expect(message() == "")
        pair.advertisementInterval = .milliseconds(15)
        #expect(message().contains("steps of 10 ms"))
        pair.advertisementInterval = .milliseconds(100)
        pair.priority = 255
        #expect(message().contains("1 to 254"))
    }
}
