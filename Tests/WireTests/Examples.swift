import Wire

/// Addresses and packets that several tests use.
enum Example {
    static let client = IPv4Address(192, 0, 2, 10)
    static let service = IPv4Address(198, 51, 100, 100)
    static let clientMAC = MACAddress(0x02, 0, 0, 0, 0, 0x0a)
    static let serviceMAC = MACAddress(0x02, 0, 0, 0, 0, 0x64)

    static func packet(_ protocol: IPProtocol) -> IPv4Header {
        IPv4Header(source: client, destination: service, protocol: `protocol`, identification: 0x1234)
    }

    static let udp = frame { buffer in
        withGuarded(Array("hello".utf8)) {
            FrameBuilder.udp(
                UDPHeader(sourcePort: 40000, destinationPort: 53), in: packet(.udp), from: clientMAC, to: serviceMAC,
                payload: $0, into: buffer)
        }
    }

    static let tcp = frame { buffer in
        FrameBuilder.tcp(
            TCPHeader(
                sourcePort: 40000, destinationPort: 80, sequence: 0x0102_0304, flags: .syn, window: 64240,
                maximumSegmentSize: 1460, windowScale: 7),
            in: packet(.tcp), from: clientMAC, to: serviceMAC, into: buffer)
    }

    static let ping = frame { buffer in
        withGuarded(Array("ping".utf8)) {
            FrameBuilder.icmp(
                .echoRequest(identifier: 0x1234, sequence: 7), in: packet(.icmp), from: clientMAC, to: serviceMAC,
                payload: $0, into: buffer)
        }
    }

    static let arp = frame {
        FrameBuilder.arpRequest(for: service, from: client, mac: clientMAC, into: $0)
    }

    static let vrrp = frame {
        FrameBuilder.vrrp(
            VRRPHeader(version: .v3, id: 7, priority: 200, centiseconds: 10), addresses: [IPv4Address(192, 0, 2, 1)],
            from: IPv4Address(192, 0, 2, 2), mac: .virtualRouter(ipv4: 7), into: $0)
    }

    /// Port unreachable, about `udp`.
    static let unreachable: [UInt8] = {
        let memory = GuardedMemory()
        return withExtendedLifetime(memory) {
            let packet = PacketView(memory.place(udp))!
            return frame {
                FrameBuilder.icmpError(
                    .unreachable(code: ICMPv4UnreachableCode.port), about: packet, from: service, mac: serviceMAC,
                    into: $0)
            }
        }
    }()

    static func frame(_ emit: (UnsafeMutableRawBufferPointer) -> Int?) -> [UInt8] {
        let bytes = dirty { emit($0) }
        guard let bytes else { fatalError("an example frame does not fit") }
        return bytes
    }
}
