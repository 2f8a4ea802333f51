public import LabTime
public import Wire

extension BoxPorts {
    /// The first step for every frame: see the type's table.
    public mutating func receive(_ frame: Frame, at now: Instant, into output: inout FrameQueue) -> Reception {
        guard Int(frame.port) < count, frame.length >= 14 else {
            counters.drop(.malformedFrame)
            return .done
        }
        if frame.side == .host {
            counters.count(.receivedFromHost)
            passFromHost(frame, into: &output)
            return .done
        }
        counters.count(.receivedFromWire)
        // Guard: 14 bytes.
        let destination = UnsafeRawPointer(frame.base).readMAC(at: 0)
        let isGroup = destination.isMulticast
        if !isGroup, destination != ports[Int(frame.port)].mac, !accepts(destination, on: frame.port) {
            counters.drop(.notForUs)
            return .done
        }
        switch ParsedFrame(frame.bytes) {
        case .ipv4(let packet):
            guard hasPlausibleSource(packet.layout.fiveTuple.source) else {
                counters.drop(.sourceAddressInvalid)
                return .done
            }
            return isGroup ? .group(packet) : .ipv4(packet)
        case .arp(let header):
            receive(header, in: frame, at: now, into: &output)
            return .done
        case .ipv6(let packet): return receive(packet, in: frame, isGroup: isGroup, at: now, into: &output)
        case .other(let type):
            guard !type.isTag else {
                counters.drop(.vlanTag)
                return .done
            }
            return .other(type)
        case .malformed(let error):
            counters.drop(Self.reason(of: error))
            return .done
        }
    }

    private func accepts(_ mac: MACAddress, on port: PortIndex) -> Bool {
        acceptedMACs.contains(UInt64(port) << 48 | mac.packed)
    }

    /// Source: RFC 1812, 5.3.7
    private func hasPlausibleSource(_ source: IPv4Address) -> Bool {
        // 0.0.0.0/8, 127.0.0.0/8, and all from 224.0.0.0 on but 240.0.0.0/4, which some networks use.
        let first = source.rawValue >> 24
        return first != 0 && first != 127 && !source.isMulticast && !source.isBroadcast && !owned.containsAlone(source)
    }

    /// The reason under which a frame that does not parse is counted.
    public static func reason(of error: WireError) -> DropReason {
        switch (error.layer, error.reason) {
        case (.ethernet, _): .malformedFrame
        case (.arp, _): .malformedARP
        case (.ipv4, .wrongChecksum): .badHeaderChecksum
        case (.ipv4, _): .malformedIPv4
        case (.ipv6, _): .malformedIPv6
        default: .malformedTransport
        }
    }
}
