import Dataplane
import LabTime
import Testing
import Wire

private let start = Instant(nanoseconds: 1_000_000_000)
private let port0 = MACAddress(2, 0, 0, 0, 1, 0)
private let port1 = MACAddress(2, 0, 0, 0, 1, 1)
private let stationMAC = MACAddress(2, 0, 0, 0, 9, 9)
private let left = IPv6Address("2001:db8:1::1")!
private let right = IPv6Address("2001:db8:2::1")!
private let station = IPv6Address("2001:db8:1::9")!
private let server = IPv6Address("2001:db8:2::7")!
private let serverMAC = MACAddress(2, 0, 0, 0, 9, 7)

/// A box with two ports that speak IPv6, and a third that does not, in virtual time.
private final class Bench {
    var box = BoxPorts(ports: [
        BoxPort(mac: port0, address: nil, ipv6: IPv6InterfaceAddress(left, prefixLength: 64), mtu: 1500),
        BoxPort(mac: port1, address: nil, ipv6: IPv6InterfaceAddress(right, prefixLength: 64), mtu: 1300),
        BoxPort(mac: MACAddress(2, 0, 0, 0, 1, 2), address: IPv4InterfaceAddress("192.0.2.1/24"), mtu: 1500),
    ])
    var now = start

    /// What leaves, by `port side`, and what else the role has to do: `ipv6`, `group`, `other`.
    func receive(_ bytes: [UInt8], on port: PortIndex = 0) -> [String] {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 2048, alignment: 64)
        defer { memory.deallocate() }
        bytes.withUnsafeBytes { memory.copyMemory(from: $0.baseAddress!, byteCount: bytes.count) }
        let frame = Frame(base: memory, length: Int32(bytes.count), port: port, side: .wire)
        var output = FrameQueue()
        var rest: [String] = []
        switch box.receive(frame, at: now, into: &output) {
        case .ipv6(let packet):
            if box.owned.contains(packet.destination) {
                rest.append("own")
            } else {
                box.route(frame, packet, at: now, into: &output)
            }
        case .ipv6Group: rest.append("group")
        case .ipv4, .group: rest.append("ipv4")
        case .other: rest.append("other")
        case .done: break
        }
        return Self.texts(&output) + rest
    }

    func advance(_ duration: Duration) -> [String] {
        now = now + duration
        var output = FrameQueue()
        box.advance(to: now, into: &output)
        return Self.texts(&output)
    }

    static func texts(_ output: inout FrameQueue) -> [String] {
        let texts = (0..<output.count).map { text(output[$0]) }
        output.removeAll()
        return texts
    }

    static func text(_ frame: Frame) -> String {
        let place = "\(frame.side == .host ? "host" : "port") \(frame.port)"
        guard let packet = IPv6PacketView(frame.bytes) else { return "\(place) ?" }
        #expect(packet.isTransportChecksumValid)
        let to = packet.destinationMAC
        guard packet.ipProtocol == .icmpv6,
            let view = try? ICMPv6View(packet.segment, source: packet.source, destination: packet.destination)
        else { return "\(place) \(packet.fiveTuple) to \(to)" }
        switch try? NeighborDiscovery(view) {
        case .neighborSolicitation(let target, let mac):
            return "\(place) solicit \(target) from \(packet.source) at \(mac!) to \(to)"
        case .neighborAdvertisement(let target, let flags, let mac):
            #expect(packet.timeToLive == 255)
            return "\(place) \(target) is at \(mac!) flags \(flags.rawValue >> 4) to \(packet.destination) \(to)"
        default:
            let about = IPv6.quoted(in: packet).map { " about \($0.fiveTuple)" } ?? ""
            return
                "\(place) icmpv6 \(packet.icmp!.type.rawValue)/\(packet.icmp!.code) \(packet.source) > \(packet.destination)\(about)"
        }
    }

    func drops(_ reason: DropReason) -> UInt64 { box.counters[reason] }
}

private func frame(_ emit: (UnsafeMutableRawBufferPointer) -> Int?) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xa5, count: 2000)
    let length = bytes.withUnsafeMutableBytes { emit($0) }
    return Array(bytes.prefix(length!))
}

private func solicitation(
    for target: IPv6Address, from source: IPv6Address = station, mac: MACAddress = stationMAC
) -> [UInt8] {
    frame {
        FrameBuilder.neighborDiscovery(
            .neighborSolicitation(target: target, linkLayerAddress: source.isUnspecified ? nil : mac), from: source,
            mac: mac, to: target.solicitedNodeMulticast, mac: .multicast(for: target.solicitedNodeMulticast), into: $0)
    }
}

private func advertisement(
    of target: IPv6Address, at mac: MACAddress, flags: NeighborDiscovery.Flags, to destination: MACAddress
) -> [UInt8] {
    frame {
        FrameBuilder.neighborDiscovery(
            .neighborAdvertisement(target: target, flags: flags, linkLayerAddress: mac), from: target, mac: mac,
            to: right, mac: destination, into: $0)
    }
}

private func datagram(
    from source: IPv6Address = station, to destination: IPv6Address = server, hopLimit: UInt8 = 64, size: Int = 8,
    mac: MACAddress = port0
) -> [UInt8] {
    let payload = [UInt8](repeating: 1, count: size)
    return frame { buffer in
        payload.withUnsafeBytes {
            FrameBuilder.udp(
                UDPHeader(sourcePort: 40000, destinationPort: 7),
                in: IPv6Header(source: source, destination: destination, nextHeader: .udp, hopLimit: hopLimit),
                from: stationMAC, to: mac, payload: $0, into: buffer)
        }
    }
}

@Suite struct DiscoveryTests {
    @Test func `solicitations for own addresses, link-local ones too, are answered to the asker`() {
        let bench = Bench()
        let linkLocal = IPv6Address.linkLocal(for: port0)
        for target in [left, linkLocal] {
            #expect(
                bench.receive(solicitation(for: target))
                    == ["port 0 \(target) is at \(port0) flags 6 to \(station) \(stationMAC)"])
        }
        // Somebody else's address, and one of another port, are not.
        #expect(bench.receive(solicitation(for: IPv6Address("2001:db8:1::77")!)) == [])
        #expect(bench.receive(solicitation(for: right)) == [])
        // The asker is known from now on.
        #expect(bench.box.neighbors.lookup(station, on: 0) == stationMAC)
    }

    @Test func `who looks for a duplicate of an own address is told in front of everybody`() {
        let bench = Bench()
        #expect(
            bench.receive(solicitation(for: left, from: .any))
                == ["port 0 \(left) is at \(port0) flags 2 to ff02::1 33:33:00:00:00:01"])
        #expect(bench.box.neighbors.count == 0)
    }

    @Test func `a packet waits while its neighbour is asked for, and leaves when it answers`() {
        let bench = Bench()
        let asked =
            "port 1 solicit \(server) from \(right) at \(port1) to \(MACAddress.multicast(for: server.solicitedNodeMulticast))"
        #expect(bench.receive(datagram()) == [asked])
        #expect(bench.receive(datagram()) == [])
        #expect(bench.advance(.milliseconds(300)) == [asked])
        let left = bench.receive(
            advertisement(of: server, at: serverMAC, flags: [.solicited, .override], to: port1), on: 1)
        let carried = "port 1 udp [\(station)]:40000 > [\(server)]:7 to \(serverMAC)"
        #expect(left.prefix(2) == [carried, carried])
        // The box's own kernel may have asked as well.
        #expect(left.last?.hasPrefix("host 1") == true)
        #expect(bench.receive(datagram()) == [carried])
    }

    @Test func `an advertisement that does not override leaves the known address`() {
        let bench = Bench()
        _ = bench.receive(datagram())
        _ = bench.receive(advertisement(of: server, at: serverMAC, flags: .solicited, to: port1), on: 1)
        #expect(bench.box.neighbors.lookup(server, on: 1) == serverMAC)
        _ = bench.receive(advertisement(of: server, at: stationMAC, flags: .solicited, to: port1), on: 1)
        #expect(bench.box.neighbors.lookup(server, on: 1) == serverMAC)
        // Unsolicited, to all nodes, with the override flag: what a failover sends.
        _ = bench.receive(
            frame { FrameBuilder.unsolicitedAdvertisement(server, mac: stationMAC, into: $0) }, on: 1)
        #expect(bench.box.neighbors.lookup(server, on: 1) == stationMAC)
    }

    @Test func `a neighbour that never answers is given up`() {
        let bench = Bench()
        _ = bench.receive(datagram())
        for _ in 0..<10 { _ = bench.advance(.milliseconds(250)) }
        #expect(bench.drops(.neighborUnreachable) == 1 && bench.box.neighbors.count == 0)
    }

    @Test func `messages from beyond the link, or broken ones, teach nothing`() {
        let bench = Bench()
        let good = solicitation(for: left)
        var far = good
        far[21] = 254
        var broken = good
        broken[60] ^= 1
        var option = good
        option[79] = 0
        for bytes in [far, broken, option] { #expect(bench.receive(bytes) == []) }
        #expect(bench.drops(.malformedDiscovery) == 3 && bench.box.neighbors.count == 0)
        #expect(bench.receive(good).count == 1)
    }

    @Test func `somebody else who claims an own address is noticed`() {
        let bench = Bench()
        _ = bench.receive(advertisement(of: left, at: stationMAC, flags: .override, to: port0))
        #expect(bench.drops(.addressConflict) == 1 && bench.box.neighbors.count == 0)
    }

    @Test func `packets from impossible sources are dropped`() {
        let bench = Bench()
        for source in ["::", "::1", "ff02::5", "::ffff:192.0.2.9", "2001:db8:1::1"] {
            #expect(bench.receive(datagram(from: IPv6Address(source)!)) == [], "\(source)")
        }
        #expect(bench.drops(.sourceAddressInvalid) == 5)
    }

    @Test func `what goes no further is told to its sender`() {
        let bench = Bench()
        _ = bench.receive(solicitation(for: left))
        let about = "about udp [\(station)]:40000 > [\(server)]:7"
        #expect(bench.receive(datagram(hopLimit: 1)) == ["port 0 icmpv6 3/0 \(left) > \(station) \(about)"])
        #expect(bench.receive(datagram(size: 1400)) == ["port 0 icmpv6 2/0 \(left) > \(station) \(about)"])
        let nowhere = IPv6Address("2001:db8:9::9")!
        #expect(
            bench.receive(datagram(to: nowhere))
                == ["port 0 icmpv6 1/0 \(left) > \(station) about udp [\(station)]:40000 > [\(nowhere)]:7"])
        #expect(bench.receive(datagram(to: right)) == ["own"])
        #expect(bench.receive(datagram(to: IPv6Address("ff02::5")!, mac: .multicast(for: .allNodes))) == ["group"])
    }

    @Test func `a port without IPv6 hands it on as a foreign protocol`() {
        let bench = Bench()
        #expect(bench.receive(solicitation(for: left), on: 2) == ["other"])
    }
}

@Suite struct IPv6RouteTests {
    @Test func `the longest prefix of IPv6 wins, from host routes to the default`() {
        var table = IPv6RouteTable()
        let gateway = IPv6Address("2001:db8::fe")!
        table.insert(IPv6Route(destination: .any, port: 0, gateway: gateway))
        table.insert(IPv6Route(destination: IPv6Network("2001:db8::/32")!, port: 1, gateway: nil))
        table.insert(IPv6Route(destination: IPv6Network("2001:db8:0:1::/64")!, port: 2, gateway: nil))
        table.insert(IPv6Route(destination: IPv6Network("2001:db8:0:1::5/128")!, port: 3, gateway: gateway))
        func port(_ text: String) -> PortIndex? { table.lookup(IPv6Address(text)!)?.port }
        #expect(port("2001:db8:0:1::5") == 3 && port("2001:db8:0:1::6") == 2 && port("2001:db8:7::1") == 1)
        #expect(table.lookup(IPv6Address("fd00::1")!) == IPv6NextHop(port: 0, address: gateway))
        table.remove(.any)
        #expect(port("fd00::1") == nil && table.all.map(\.port) == [3, 2, 1])
    }
}
