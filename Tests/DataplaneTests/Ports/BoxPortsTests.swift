import Dataplane
import LabTime
import Testing
import Wire

private let portMACs = [MACAddress(2, 0, 0, 0, 0, 0x10), MACAddress(2, 0, 0, 0, 0, 0x11)]
private let neighborMAC = MACAddress(2, 0, 0, 0, 0, 0x99)
private let otherMAC = MACAddress(2, 0, 0, 0, 0, 0x77)
private let left = IPv4Address(192, 0, 2, 1)
private let right = IPv4Address(198, 51, 100, 1)
private let neighbor = IPv4Address(192, 0, 2, 9)
private let farNeighbor = IPv4Address(198, 51, 100, 9)
private let start = Instant(nanoseconds: 1_000_000_000)

/// One frame that left.
private struct Sent: Equatable {
    var port: PortIndex
    var side: PortSide
    var bytes: [UInt8]
}

/// A router with two ports, 192.0.2.1/24 and 198.51.100.1/24.
private final class Router {
    var box = BoxPorts(ports: [
        BoxPort(mac: portMACs[0], address: IPv4InterfaceAddress(left, prefixLength: 24), mtu: 1500),
        BoxPort(mac: portMACs[1], address: IPv4InterfaceAddress(right, prefixLength: 24), mtu: 1400),
    ])
    var now = start

    /// Receives a frame and routes it where it is IPv4 to the box's MAC address.
    func receive(_ bytes: [UInt8], on port: PortIndex, side: PortSide = .wire) -> [Sent] {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 2048, alignment: 64)
        defer { memory.deallocate() }
        bytes.withUnsafeBytes { memory.copyMemory(from: $0.baseAddress!, byteCount: bytes.count) }
        let frame = Frame(base: memory, length: Int32(bytes.count), port: port, side: side)
        var output = FrameQueue()
        switch box.receive(frame, at: now, into: &output) {
        case .done: break
        case .ipv4(let packet):
            if box.owned.contains(packet.destination) {
                box.deliverToHost(frame, into: &output)
            } else {
                box.route(frame, packet, at: now, into: &output)
            }
        case .ipv6(let packet):
            if box.owned.contains(packet.destination) {
                box.deliverToHost(frame, into: &output)
            } else {
                box.route(frame, packet, at: now, into: &output)
            }
        case .group, .ipv6Group: box.counters.drop(.multicast)
        case .other: box.counters.drop(.unsupportedEtherType)
        }
        return collect(&output)
    }

    func collect(_ output: inout FrameQueue) -> [Sent] {
        (0..<output.count).map {
            Sent(port: output[$0].port, side: output[$0].side, bytes: Array(UnsafeRawBufferPointer(output[$0].bytes)))
        }
    }

    func learn(_ address: IPv4Address, on port: PortIndex) {
        _ = receive(
            arp(.request, neighborMAC, address, for: port == 0 ? left : right, to: .broadcast), on: port)
    }
}

private func arp(
    _ operation: ARPHeader.Operation, _ mac: MACAddress, _ sender: IPv4Address, for target: IPv4Address,
    to destination: MACAddress
) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: FrameBuilder.arpLength)
    _ = buffer.withUnsafeMutableBytes {
        FrameBuilder.arp(
            ARPHeader(
                operation: operation, senderMAC: mac, senderAddress: sender, targetMAC: .zero, targetAddress: target),
            from: mac, to: destination, into: $0)
    }
    return buffer
}

private func udp(
    from source: IPv4Address, to destination: IPv4Address, mac: MACAddress, timeToLive: UInt8 = 64, size: Int = 10
) -> [UInt8] {
    var buffer = [UInt8](repeating: 0xa5, count: 2048)
    let payload = [UInt8](repeating: 7, count: size)
    let length = buffer.withUnsafeMutableBytes { buffer in
        payload.withUnsafeBytes {
            FrameBuilder.udp(
                UDPHeader(sourcePort: 1000, destinationPort: 2000),
                in: IPv4Header(source: source, destination: destination, protocol: .udp, timeToLive: timeToLive),
                from: neighborMAC, to: mac, payload: $0, into: buffer)
        }
    }
    return Array(buffer.prefix(length!))
}

private func parsed(_ sent: Sent, _ look: (PacketView) -> Void) {
    var bytes = sent.bytes
    bytes.withUnsafeMutableBytes {
        guard let packet = PacketView($0) else { Issue.record("not an IPv4 packet"); return }
        look(packet)
    }
}

@Suite struct BoxPortsTests {
    @Test func `a request for the box's address is answered by the port's MAC address and teaches the asker`() {
        let router = Router()
        let sent = router.receive(arp(.request, neighborMAC, neighbor, for: left, to: .broadcast), on: 0)
        var expected = arp(.reply, portMACs[0], left, for: neighbor, to: neighborMAC)
        expected.replaceSubrange(32..<38, with: [2, 0, 0, 0, 0, 0x99])
        #expect(sent == [Sent(port: 0, side: .wire, bytes: expected)])
        #expect(router.box.neighbors.lookup(neighbor, on: 0) == neighborMAC)
    }

    @Test func `a request for somebody else is neither answered nor shown nor learned`() {
        let router = Router()
        #expect(
            router.receive(arp(.request, neighborMAC, neighbor, for: IPv4Address(192, 0, 2, 7), to: .broadcast), on: 0)
                .isEmpty)
        #expect(router.box.neighbors.count == 0)
    }

    @Test func `a virtual address is answered with its own MAC address while the box owns it`() {
        let router = Router()
        let virtual = IPv4Address(192, 0, 2, 100)
        let mac = MACAddress.virtualRouter(ipv4: 5)
        let question = arp(.request, neighborMAC, neighbor, for: virtual, to: .broadcast)
        #expect(router.receive(question, on: 0).isEmpty)
        router.box.own(virtual, on: 0, answering: mac)
        let sent = router.receive(question, on: 0)
        #expect(sent.count == 1)
        #expect(sent[0].bytes.withUnsafeBytes { $0.baseAddress!.readMAC(at: 22) } == mac)
        #expect(router.receive(arp(.request, neighborMAC, farNeighbor, for: virtual, to: .broadcast), on: 1).isEmpty)
        router.box.removeAddress(virtual, on: 0)
        #expect(router.receive(question, on: 0).isEmpty)
    }

    @Test func `replies and announcements go to the neighbour table and to the host side`() {
        let router = Router()
        router.learn(neighbor, on: 0)
        let announcement = arp(.request, otherMAC, neighbor, for: neighbor, to: .broadcast)
        #expect(router.receive(announcement, on: 0) == [Sent(port: 0, side: .host, bytes: announcement)])
        #expect(router.box.neighbors.lookup(neighbor, on: 0) == otherMAC)
        let reply = arp(.reply, neighborMAC, neighbor, for: left, to: portMACs[0])
        #expect(router.receive(reply, on: 0) == [Sent(port: 0, side: .host, bytes: reply)])
        #expect(router.box.neighbors.lookup(neighbor, on: 0) == neighborMAC)
    }

    @Test func `a probe for the box's address is answered and teaches nothing`() {
        let router = Router()
        #expect(router.receive(arp(.request, neighborMAC, .any, for: left, to: .broadcast), on: 0).count == 1)
        #expect(router.box.neighbors.count == 0)
    }

    @Test func `somebody else who claims the box's address is counted and not believed`() {
        let router = Router()
        #expect(router.receive(arp(.request, neighborMAC, left, for: left, to: .broadcast), on: 0).isEmpty)
        #expect(router.box.counters[.addressConflict] == 1)
        #expect(router.box.neighbors.count == 0)
    }

    @Test func `a sender that is not on the link teaches nothing`() {
        let router = Router()
        _ = router.receive(arp(.request, neighborMAC, IPv4Address(10, 0, 0, 1), for: left, to: .broadcast), on: 0)
        _ = router.receive(arp(.request, .broadcast, neighbor, for: left, to: .broadcast), on: 0)
        #expect(router.box.neighbors.count == 0)
    }

    @Test func `what the host side sends leaves unchanged by the same port`() {
        let router = Router()
        let bytes = udp(from: left, to: neighbor, mac: otherMAC)
        #expect(router.receive(bytes, on: 0, side: .host) == [Sent(port: 0, side: .wire, bytes: bytes)])
        let question = arp(.request, portMACs[0], left, for: neighbor, to: .broadcast)
        #expect(router.receive(question, on: 0, side: .host) == [Sent(port: 0, side: .wire, bytes: question)])
    }

    @Test func `a unicast frame to another MAC address is dropped, one to an accepted address is not`() {
        let router = Router()
        let mac = MACAddress.virtualRouter(ipv4: 5)
        let bytes = udp(from: neighbor, to: left, mac: mac)
        #expect(router.receive(bytes, on: 0).isEmpty)
        #expect(router.box.counters[.notForUs] == 1)
        router.box.accept(mac, on: 0)
        let sent = router.receive(bytes, on: 0)
        #expect(sent.map(\.side) == [.host])
        // The kernel takes only frames to its own interface.
        #expect(sent[0].bytes.withUnsafeBytes { $0.baseAddress!.readMAC(at: 0) } == portMACs[0])
        #expect(router.receive(bytes, on: 1).isEmpty)
        router.box.refuse(mac, on: 0)
        #expect(router.receive(bytes, on: 0).isEmpty)
    }

    @Test func `a routed packet has new MAC addresses and a time to live one lower`() {
        let router = Router()
        router.learn(farNeighbor, on: 1)
        let sent = router.receive(udp(from: neighbor, to: farNeighbor, mac: portMACs[0]), on: 0)
        #expect(sent.map(\.port) == [1])
        parsed(sent[0]) {
            #expect($0.destinationMAC == neighborMAC && $0.sourceMAC == portMACs[1])
            #expect($0.timeToLive == 63 && $0.isTransportChecksumValid)
        }
    }

    @Test func `the source of forwarded frames is the virtual MAC address where one speaks`() {
        let router = Router()
        router.learn(farNeighbor, on: 1)
        router.box[1].sourceMAC = .virtualRouter(ipv4: 6)
        parsed(router.receive(udp(from: neighbor, to: farNeighbor, mac: portMACs[0]), on: 0)[0]) {
            #expect($0.sourceMAC == .virtualRouter(ipv4: 6))
        }
    }

    @Test func `without a route, and where the time to live or the MTU ends, the sender is told`() {
        let router = Router()
        router.learn(neighbor, on: 0)
        let cases: [([UInt8], DropReason, ICMPv4Header)] = [
            (
                udp(from: neighbor, to: IPv4Address(203, 0, 113, 1), mac: portMACs[0]), .noRoute,
                .unreachable(code: ICMPv4UnreachableCode.network)
            ),
            (udp(from: neighbor, to: farNeighbor, mac: portMACs[0], timeToLive: 1), .timeToLiveExceeded, .timeExceeded),
            (
                udp(from: neighbor, to: farNeighbor, mac: portMACs[0], size: 1450), .packetTooBig,
                .fragmentationNeeded(mtu: 1400)
            ),
        ]
        for (packet, reason, header) in cases {
            let sent = router.receive(packet, on: 0)
            #expect(sent.count == 1)
            #expect(router.box.counters[reason] == 1)
            parsed(sent[0]) {
                #expect($0.source == left && $0.destination == neighbor && $0.destinationMAC == neighborMAC)
                #expect($0.icmp == header)
                #expect($0.isTransportChecksumValid)
                #expect($0.layout.packetLength <= 576)
            }
        }
    }

    @Test func `ICMP errors are limited to fifty at once and a thousand a second`() {
        let router = Router()
        router.learn(neighbor, on: 0)
        func expire() -> Int {
            router.receive(udp(from: neighbor, to: farNeighbor, mac: portMACs[0], timeToLive: 1), on: 0).count
        }
        #expect((0..<100).reduce(0) { sum, _ in sum + expire() } == 50)
        #expect(router.box.counters[.icmpSuppressed] == 50)
        router.now += .milliseconds(10)
        #expect((0..<100).reduce(0) { sum, _ in sum + expire() } == 10)
    }

    @Test func `no error is sent about an error`() {
        let router = Router()
        router.learn(neighbor, on: 0)
        var buffer = [UInt8](repeating: 0, count: 200)
        let quote = Array(udp(from: farNeighbor, to: neighbor, mac: portMACs[1])[14..<42])
        let length = buffer.withUnsafeMutableBytes { buffer in
            quote.withUnsafeBytes {
                FrameBuilder.icmp(
                    .unreachable(code: 1),
                    in: IPv4Header(source: neighbor, destination: farNeighbor, protocol: .icmp, timeToLive: 1),
                    from: neighborMAC, to: portMACs[0], payload: $0, into: buffer)
            }
        }
        #expect(router.receive(Array(buffer.prefix(length!)), on: 0).isEmpty)
        #expect(router.box.counters[.timeToLiveExceeded] == 1)
        #expect(router.box.counters[.icmpSuppressed] == 1)
    }

    @Test func `damaged packets are dropped for what is wrong with them`() {
        let router = Router()
        let right = udp(from: neighbor, to: farNeighbor, mac: portMACs[0])
        func damaged(_ offset: Int, _ value: UInt8) -> [UInt8] {
            var bytes = right
            bytes[offset] = value
            return bytes
        }
        let cases: [([UInt8], DropReason)] = [
            (Array(right.prefix(13)), .malformedFrame),
            (Array(right.prefix(30)), .malformedIPv4),
            (Array(right[..<12]) + [0x81, 0, 0, 5] + right[12...], .vlanTag),
            (Array(right[..<12]) + [0x88, 0xa8, 0, 5] + right[12...], .vlanTag),
            (damaged(14, 0x65), .malformedIPv4),
            (damaged(24, right[24] ^ 1), .badHeaderChecksum),
            (damaged(39, 200), .malformedTransport),
            (Array(arp(.request, neighborMAC, neighbor, for: left, to: .broadcast).prefix(30)), .malformedARP),
            (udp(from: .loopback, to: farNeighbor, mac: portMACs[0]), .sourceAddressInvalid),
            (udp(from: left, to: farNeighbor, mac: portMACs[0]), .sourceAddressInvalid),
            (udp(from: IPv4Address(224, 0, 0, 1), to: farNeighbor, mac: portMACs[0]), .sourceAddressInvalid),
        ]
        var dropped: UInt64 = 0
        for (bytes, reason) in cases {
            let before = router.box.counters[reason]
            #expect(router.receive(bytes, on: 0).isEmpty)
            dropped += 1
            #expect(router.box.counters[reason] == before + 1, "\(reason)")
            #expect(router.box.counters.dropped == dropped)
        }
    }

    @Test func `a route's gateway must be on a connected network`() {
        let router = Router()
        let isRefused = !router.box.addRoute(to: .any, via: IPv4Address(10, 0, 0, 1))
        let isAdded = router.box.addRoute(to: .any, via: farNeighbor)
        #expect(isRefused && isAdded)
        #expect(router.box.routes.lookup(IPv4Address(8, 8, 8, 8)) == NextHop(port: 1, address: farNeighbor))
    }

    @Test func `a box that keeps its gateways known has asked for each before a packet goes there`() {
        let router = Router()
        for network: UInt8 in [1, 2] {
            router.box.addRoute(to: IPv4Network(IPv4Address(8, network, 0, 0), prefixLength: 16), via: farNeighbor)
        }
        var output = FrameQueue()
        router.box.advance(to: router.now, into: &output)
        #expect(output.count == 0 && router.box.deadline == nil, "nobody wants it")
        router.box.keepGatewaysKnown(from: router.now)
        #expect(router.box.deadline == router.now)
        router.box.advance(to: router.now, into: &output)
        #expect(router.collect(&output).map(\.port) == [1])
        router.learn(farNeighbor, on: 1)
        let sent = router.receive(udp(from: neighbor, to: IPv4Address(8, 2, 0, 1), mac: portMACs[0]), on: 0)
        #expect(sent.map(\.port) == [1])
        // It stays known although no packet goes there: it is asked again by unicast, and a lost one by broadcast.
        var asked = 0
        for second in 1...120 {
            router.now = start + .seconds(second)
            output.removeAll()
            router.box.advance(to: router.now, into: &output)
            guard output.count > 0 else { continue }
            asked += 1
            router.learn(farNeighbor, on: 1)
        }
        #expect((2...4).contains(asked) && router.box.neighbors.lookup(farNeighbor, on: 1) == neighborMAC, "\(asked)")
        router.box.setCarrier(of: 1, isUp: false)
        output.removeAll()
        router.box.advance(to: router.now + .seconds(2), into: &output)
        #expect(output.count == 0)
        router.box.setCarrier(of: 1, isUp: true)
        router.box.advance(to: router.now + .seconds(4), into: &output)
        #expect(output.count == 1)
    }

    @Test func `a port without carrier sends nothing and forgets its neighbours`() {
        let router = Router()
        router.learn(farNeighbor, on: 1)
        router.box.setCarrier(of: 1, isUp: false)
        #expect(router.box.neighbors.count == 0)
        #expect(router.receive(udp(from: neighbor, to: farNeighbor, mac: portMACs[0]), on: 0).isEmpty)
        #expect(router.box.counters[.carrierDown] == 1)
    }
}
