import Appliances
import Configuration
import Dataplane
import LabEvents
import LabTime
import TestSupport
import Testing
import VirtualNetwork
import Wire

@Suite struct DirectReturnTests {
    static func service(
        _ mode: DirectReturnConfiguration.Mode, members: Int = 2, scheduler: Scheduler = .consistentHash,
        monitor: MonitorConfiguration? = nil, change: (inout DirectReturnConfiguration) -> Void = { _ in }
    ) -> VirtualServiceConfiguration {
        service(.tcpFastPath, mode, members: members, scheduler: scheduler, monitor: monitor, change: change)
    }

    static func service(
        _ profile: ServiceProfile, _ mode: DirectReturnConfiguration.Mode, members: Int = 2,
        scheduler: Scheduler = .consistentHash, monitor: MonitorConfiguration? = nil,
        change: (inout DirectReturnConfiguration) -> Void = { _ in }
    ) -> VirtualServiceConfiguration {
        var service = BalancerBench.service(profile, scheduler: scheduler, members: members)
        var direct = DirectReturnConfiguration(mode: mode)
        change(&direct)
        service.directReturn = direct
        service.monitor = monitor
        for index in service.members.indices { service.members[index].port = service.port }
        return service
    }

    static let request = "inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80"

    /// A tunnel packet as a table has it: `servers lb.servers>b1 [203.0.113.10 > 203.0.113.21 ipip] tcp …`
    static func text(_ frame: BoxFrame) -> String {
        let bytes = frame.bytes
        var copy = bytes
        let tunnelled = copy.withUnsafeMutableBytes { buffer -> String? in
            guard let outer = PacketView(buffer), [.ipip, .gre].contains(outer.ipProtocol) else { return nil }
            #expect(outer.timeToLive == 64 && outer.dontFragment)
            let skipped = outer.ipProtocol == .ipip ? 20 : 24
            var inner = Array(bytes[..<14]) + Array(bytes[(14 + skipped)...])
            inner[12] = 8
            let words = BalancerBench.line(BoxFrame(inner, port: frame.port, side: frame.side)).split(
                separator: " ", maxSplits: 2)
            return "\(words[0]) \(words[1]) [\(outer.source) > \(outer.destination) \(outer.ipProtocol)] \(words[2])"
        }
        return tunnelled ?? BalancerBench.line(frame)
    }

    func send(_ bench: BalancerBench, _ text: String, payload: Int = 4, side: PortSide = .wire) -> [String] {
        bench.raw(
            [(bench.frame(text, payload: [UInt8](repeating: 7, count: payload)), text.hasPrefix("servers") ? 1 : 0)],
            side: side
        ).map(Self.text)
    }

    @Test
    func `layer 2: the frame goes to the member's MAC address from the balancer's, and the packet stays as it is`() {
        let bench = BalancerBench(Self.service(.l2, members: 1))
        let sent = bench.frame("\(Self.request) SYN")
        let out = bench.raw([(sent, 0)])
        #expect(out.map(BalancerBench.line) == ["servers lb.servers>b1 tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN"])
        // Time to live and the header's checksum apart.
        var expected = Array(sent[14...])
        expected[8] -= 1
        var seen = Array(out[0].bytes[14...])
        for bytes in [10, 11] { (expected[bytes], seen[bytes]) = (0, 0) }
        #expect(seen == expected)
    }

    @Test(arguments: [DirectReturnConfiguration.Mode.ipip, .gre])
    func `layer 3: the packet goes wrapped from the balancer's interface to the member`(
        mode: DirectReturnConfiguration.Mode
    ) {
        let bench = BalancerBench(Self.service(mode, members: 1))
        let wrapped = "servers lb.servers>b1 [203.0.113.10 > 203.0.113.21 \(mode.rawValue)]"
        #expect(
            send(bench, "\(Self.request) SYN") == ["\(wrapped) tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN"])
        #expect(
            send(bench, "\(Self.request) PSH,ACK") == ["\(wrapped) tcp 192.0.2.50:40000 > 198.51.100.100:80 PSH,ACK"])
        #expect(bench.counter("flows") == 1)
        #expect(bench.counter("tunnel.wrapped") == 2)
    }

    @Test(arguments: [ServiceProfile.udpFastPath, .udpPerPacket], [DirectReturnConfiguration.Mode.l2, .ipip, .gre])
    func `datagrams take the same ways`(profile: ServiceProfile, mode: DirectReturnConfiguration.Mode) {
        let bench = BalancerBench(Self.service(profile, mode, members: 1))
        let out = send(bench, "inside fw-a>lb.inside udp 192.0.2.50:40000 > 198.51.100.100:53")
        let wrapping = mode == .l2 ? "" : "[203.0.113.10 > 203.0.113.21 \(mode.rawValue)] "
        #expect(out == ["servers lb.servers>b1 \(wrapping)udp 192.0.2.50:40000 > 198.51.100.100:53"])
        #expect(bench.counter("flows") == (profile == .udpFastPath ? 1 : 0))
    }

    @Test func `a tunnel packet whose next hop is unknown waits wrapped`() {
        let bench = BalancerBench(Self.service(.ipip, members: 1), knowsNeighbors: false)
        #expect(
            send(bench, "\(Self.request) SYN") == ["servers lb.servers>all arp who-has 203.0.113.21 tell 203.0.113.10"])
        var buffer = [UInt8](repeating: 0, count: FrameBuilder.arpLength)
        _ = buffer.withUnsafeMutableBytes {
            FrameBuilder.arp(
                ARPHeader(
                    operation: .reply, senderMAC: BalancerBench.stations["b1"]!, senderAddress: BalancerBench.b1,
                    targetMAC: .zero, targetAddress: BalancerBench.serversAddress),
                from: BalancerBench.stations["b1"]!, to: BalancerBench.stations["lb.servers"]!, into: $0)
        }
        #expect(
            bench.raw([(buffer, 1)]).map(Self.text).first
                == "servers lb.servers>b1 [203.0.113.10 > 203.0.113.21 ipip] tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN"
        )
    }

    // MARK: Flows

    @Test func `two balancers with the same pool send the same client to the same member, in mid-stream too`() {
        let first = BalancerBench(Self.service(.l2), seed: 1)
        let second = BalancerBench(Self.service(.l2), seed: 2)
        var members: Set<String> = []
        for port in 40_000..<40_100 {
            let request = "inside fw-a>lb.inside tcp 192.0.2.50:\(port) > 198.51.100.100:80"
            let sent = first.send("\(request) SYN")
            let member = String(sent[0].split(separator: " ")[1])
            members.insert(member)
            // The second has never heard of the connection.
            #expect(
                second.send("\(request) PSH,ACK") == [
                    "servers \(member) tcp 192.0.2.50:\(port) > 198.51.100.100:80 PSH,ACK"
                ])
        }
        #expect(members == ["lb.servers>b1", "lb.servers>b2"])
        #expect(second.counter("flows") == 100)
    }

    @Test func `a connection stays with its member when the pool changes`() {
        let bench = BalancerBench(Self.service(.l2))
        _ = bench.perform(.member(service: "web", member: "b2", isUp: false))
        for port in 40_000..<40_020 {
            #expect(
                bench.send("inside fw-a>lb.inside tcp 192.0.2.50:\(port) > 198.51.100.100:80 SYN")[0].contains(">b1 "))
        }
        _ = bench.perform(.member(service: "web", member: "b2", isUp: true))
        for port in 40_000..<40_020 {
            #expect(
                bench.send("inside fw-a>lb.inside tcp 192.0.2.50:\(port) > 198.51.100.100:80 ACK")[0].contains(">b1 "))
        }
    }

    @Test func `a flow ends after the client's FIN or reset, and its port may be used again at once`() {
        let bench = BalancerBench(Self.service(.l2, members: 1))
        _ = bench.send("\(Self.request) SYN")
        _ = bench.send("\(Self.request) ACK")
        _ = bench.send("\(Self.request) FIN,ACK")
        #expect(bench.send("\(Self.request) SYN").count == 1)
        #expect(bench.counter("flows.closed") == 1)
        #expect(bench.counter("flows") == 1)
        _ = bench.send("\(Self.request) RST")
        _ = bench.pass(.milliseconds(1100))
        #expect(bench.counter("flows") == 0)
        #expect(bench.counter("service.web.member.b1.sessions") == 0)
    }

    @Test func `a reset of a connection that nobody knows is carried and opens nothing`() {
        let bench = BalancerBench(Self.service(.l2, members: 1))
        #expect(bench.send("\(Self.request) RST").count == 1)
        #expect(bench.counter("flows") == 0)
        #expect(bench.counter("flows.not-needed") == 1)
    }

    @Test func `where the flow table is full, the hash alone carries new connections`() {
        let bench = BalancerBench(Self.service(.l2, members: 1), flowCapacity: 2)
        for port in 40_000..<40_010 {
            #expect(bench.send("inside fw-a>lb.inside tcp 192.0.2.50:\(port) > 198.51.100.100:80 SYN").count == 1)
        }
        #expect(bench.counter("flows") == 2)
        #expect(bench.counter("flows.not-needed") == 8)
        #expect(bench.drops == [])
    }

    @Test func `a change of the pool says which share of clients it moved, beside the ideal`() {
        let bench = BalancerBench(Self.service(.l2))
        _ = bench.takeEvents()
        _ = bench.perform(.member(service: "web", member: "b2", isUp: false))
        _ = bench.perform(.member(service: "web", member: "b2", isUp: true))
        _ = bench.perform(.weight(service: "web", member: "b2", weight: 3))
        let events = bench.takeEvents()
        #expect(events.map(\.kind) == [.memberDown, .memberUp, .memberWeight])
        #expect(events.map { $0.details[.shareIdeal] } == ["50.0 %", "50.0 %", "25.0 %"])
        for event in events {
            let ideal = Double(event.details[.shareIdeal]!.dropLast(2))!
            let moved = Double(event.details[.shareMoved]!.dropLast(2))!
            #expect(moved >= ideal - 0.5 && moved <= ideal + 3, "\(event.kind): \(moved) % of \(ideal) %")
        }
        #expect(bench.perform(.weight(service: "web", member: "b2", weight: 0)) != .done)
    }

    // MARK: Bad input

    @Test func `fragments, options and packets in the service's own name are dropped, each for its reason`() {
        let bench = BalancerBench(Self.service(.ipip, members: 1))
        var fragment = bench.frame("\(Self.request) SYN")
        fragment[20] = 0x20
        #expect(bench.raw([(TunnelFrames.healed(fragment), 0)]).isEmpty)
        #expect(bench.drops == ["fragment 1"])
        var optioned = bench.frame("\(Self.request) SYN")
        optioned.insert(contentsOf: [1, 1, 1, 1], at: 34)
        optioned[14] += 1
        optioned[17] += 4
        #expect(bench.raw([(TunnelFrames.healed(optioned), 0)]).isEmpty)
        #expect(bench.drops == ["fragment 1", "ip-options 1"])
        #expect(bench.send("inside fw-a>lb.inside tcp 198.51.100.100:40000 > 198.51.100.100:80 SYN").isEmpty)
        #expect(bench.drops == ["source-address-invalid 1", "fragment 1", "ip-options 1"])
    }

    @Test func `a member's packet that comes by the balancer is nobody's session`() {
        let bench = BalancerBench(Self.service(.l2, members: 1))
        _ = bench.send("\(Self.request) SYN")
        #expect(bench.send("servers b1>lb.servers tcp 198.51.100.100:80 > 192.0.2.50:40000 SYN,ACK").isEmpty)
        #expect(bench.drops == ["not-a-router 1"])
    }

    // MARK: Sizes

    @Test func `a packet too large for the tunnel is answered with the MTU that fits`() {
        for (mode, mtu) in [(DirectReturnConfiguration.Mode.ipip, 1480), (.gre, 1476)] {
            let bench = BalancerBench(Self.service(mode, members: 1))
            _ = bench.send("\(Self.request) SYN")
            let out = bench.raw([
                (bench.frame("\(Self.request) PSH,ACK", payload: [UInt8](repeating: 1, count: 1460)), 0)
            ])
            #expect(
                out.map(BalancerBench.line) == [
                    "inside lb.inside>fw-a icmp 198.51.100.10 > 192.0.2.50 3/4 about tcp 192.0.2.50:40000 > 198.51.100.100:80"
                ])
            #expect(Int(out[0].bytes[40]) << 8 | Int(out[0].bytes[41]) == mtu)
            #expect(send(bench, "\(Self.request) PSH,ACK", payload: mtu - 40).count == 1)
            #expect(bench.drops == ["packet-too-big 1"])
        }
    }

    @Test func `without path MTU discovery it vanishes in silence`() {
        let bench = BalancerBench(Self.service(.ipip, members: 1) { $0.reportsPathMTU = false })
        _ = bench.send("\(Self.request) SYN")
        #expect(send(bench, "\(Self.request) PSH,ACK", payload: 1460).isEmpty)
        #expect(bench.drops == ["packet-too-big 1"])
    }

    @Test func `a SYN's segment size is lowered to what fits the tunnel where the service says so`() {
        for (mode, size) in [(DirectReturnConfiguration.Mode.ipip, 1440), (.gre, 1436)] {
            let bench = BalancerBench(Self.service(mode, members: 1) { $0.clampsSegmentSize = true })
            let out = bench.raw([(TunnelFrames.syn(mss: 1460), 0)])
            let tcp = 34 + (mode == .gre ? 24 : 20)
            #expect(Array(out[0].bytes[(tcp + 20)..<(tcp + 24)]) == [2, 4, UInt8(size >> 8), UInt8(size & 0xff)])
            var inner = Array(out[0].bytes[..<14]) + Array(out[0].bytes[(tcp - 20)...])
            #expect(inner.withUnsafeMutableBytes { PacketView($0)!.isTransportChecksumValid })
            #expect(bench.counter("segment-size.clamped") == 1)
        }
    }
}

enum TunnelFrames {
    /// The frame with its IPv4 header's checksum set right.
    static func healed(_ frame: [UInt8]) -> [UInt8] {
        var frame = frame
        frame[24] = 0
        frame[25] = 0
        let header = Array(frame[14..<(14 + Int(frame[14] & 0xf) * 4)])
        let checksum = header.withUnsafeBytes { Checksum.of($0) }
        frame[24] = UInt8(checksum >> 8)
        frame[25] = UInt8(checksum & 0xff)
        return frame
    }

    /// The client's SYN with its segment size.
    static func syn(mss: UInt16) -> [UInt8] {
        var buffer = [UInt8](repeating: 0xa5, count: 2048)
        let length = buffer.withUnsafeMutableBytes {
            FrameBuilder.tcp(
                TCPHeader(
                    sourcePort: 40_000, destinationPort: 80, sequence: 1, flags: .syn, window: 1000,
                    maximumSegmentSize: mss),
                in: IPv4Header(source: BalancerBench.client, destination: BalancerBench.vip, protocol: .tcp),
                from: BalancerBench.stations["fw-a"]!, to: BalancerBench.stations["lb.inside"]!, into: $0)
        }
        return Array(buffer.prefix(length!))
    }
}
