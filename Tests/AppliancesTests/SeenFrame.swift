import VirtualNetwork
import Wire

/// A frame as somebody saw it.
struct SeenFrame {
    var bytes: [UInt8]

    var destination: MACAddress { bytes.withUnsafeBytes { $0.baseAddress!.readMAC(at: 0) } }
    var source: MACAddress { bytes.withUnsafeBytes { $0.baseAddress!.readMAC(at: 6) } }
    var type: EtherType { EtherType(rawValue: bytes.withUnsafeBytes { $0.baseAddress!.readUInt16(at: 12) }) }

    var arp: ARPHeader? {
        guard type == .arp else { return nil }
        return bytes.withUnsafeBytes { try? ARPHeader(UnsafeRawBufferPointer(rebasing: $0[14...])) }
    }

    /// nil where it is not well-formed IPv4.
    var layout: FrameLayout? {
        bytes.withUnsafeBytes {
            guard case .layout(let layout) = FrameLayout.parse($0) else { return nil }
            return layout
        }
    }

    var timeToLive: UInt8 { bytes[22] }
    /// Of a TCP segment.
    var sequence: UInt32? {
        guard let layout, layout.fiveTuple.protocol == .tcp, layout.hasTransportHeader else { return nil }
        return bytes.withUnsafeBytes { $0.baseAddress!.readUInt32(at: Int(layout.transportOffset) + 4) }
    }
    var flow: FiveTuple? { layout?.fiveTuple }
    var isAdvertisement: Bool { flow?.protocol == .vrrp }
    var isSync: Bool { flow?.protocol == .udp && flow?.destinationPort == SyncHeader.port }
    /// The priority of an advertisement.
    var vrrpPriority: UInt8? { isAdvertisement ? bytes[36] : nil }
}

extension ReceivedFrame {
    var frame: SeenFrame { SeenFrame(bytes: bytes) }
}
