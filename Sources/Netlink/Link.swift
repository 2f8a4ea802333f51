internal import CNetlink
internal import Glibc
public import Wire

/// An interface as the kernel describes it.
public struct Link: Hashable, Sendable {
    public var index: Int32
    public var name: String
    /// nil where the link has none of 6 bytes.
    public var mac: MACAddress?
    /// Largest packet in bytes behind the Ethernet header.
    public var mtu: Int
    /// Administratively up.
    public var isUp: Bool
    /// Both ends of the cable are up.
    public var hasCarrier: Bool
    /// Index of the bridge of which it is a port.
    public var master: Int32?
    /// `veth`, `bridge`, …; nil for what no driver of rtnetlink made (`lo`).
    public var kind: String?
    /// Index of a veth's other end, in the namespace where that is.
    public var peer: Int32?

    init?(_ reply: Reply) {
        guard let header = reply.structure(ifinfomsg.self) else { return nil }
        index = header.ifi_index
        isUp = header.ifi_flags & UInt32(IFF_UP) != 0
        hasCarrier = header.ifi_flags & Self.lowerUp != 0
        name = ""
        mtu = 0
        for attribute in reply.attributes(after: MemoryLayout<ifinfomsg>.size) {
            switch Int(attribute.type) {
            case Int(IFLA_IFNAME): name = attribute.string
            case Int(IFLA_MTU): mtu = Int(attribute.u32 ?? 0)
            case Int(IFLA_ADDRESS):
                if attribute.bytes.count == 6 { mac = attribute.bytes.baseAddress!.readMAC(at: 0) }
            case Int(IFLA_MASTER): master = attribute.u32.map { Int32(bitPattern: $0) }
            case Int(IFLA_LINK): peer = attribute.u32.map { Int32(bitPattern: $0) }
            case Int(IFLA_LINKINFO):
                for inner in attribute.nested where Int(inner.type) == Int(IFLA_INFO_KIND) { kind = inner.string }
            default: break
            }
        }
    }

    /// `IFF_LOWER_UP`, which Glibc's headers lack. Source: include/uapi/linux/if.h
    private static let lowerUp: UInt32 = 1 << 16
}
