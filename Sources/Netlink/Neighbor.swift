internal import CNetlink
internal import Glibc
public import Wire

/// What a kernel knows of a neighbour: its MAC address, and whether it answers.
public struct Neighbor: Hashable, Sendable {
    /// Source: include/uapi/linux/neighbour.h, NUD_…; the words are those of `ip neigh`
    public enum State: String, Hashable, Sendable {
        case incomplete, reachable, stale, delay, probe, failed, noarp, permanent
        case none

        init(_ bits: UInt16) {
            switch bits {
            case 0x01: self = .incomplete
            case 0x02: self = .reachable
            case 0x04: self = .stale
            case 0x08: self = .delay
            case 0x10: self = .probe
            case 0x20: self = .failed
            case 0x40: self = .noarp
            case 0x80: self = .permanent
            default: self = .none
            }
        }
    }

    /// Index of the interface.
    public var link: Int32
    public var address: NetworkAddress
    /// nil as long as none is known, and of a neighbour that does not answer any more.
    public var mac: MACAddress?
    public var state: State

    public init(link: Int32, address: NetworkAddress, mac: MACAddress?, state: State) {
        self.link = link
        self.address = address
        self.mac = mac
        self.state = state
    }

    /// nil of an entry of a bridge's table of MAC addresses, which is no neighbour.
    init?(_ reply: Reply) {
        guard let header = reply.structure(ndmsg.self), header.ndm_family != UInt8(AF_BRIDGE) else { return nil }
        link = header.ndm_ifindex
        state = State(header.ndm_state)
        var destination: NetworkAddress?
        for attribute in reply.attributes(after: MemoryLayout<ndmsg>.size) {
            switch Int(attribute.type) {
            case Int(NDA_DST): destination = NetworkAddress(attribute.bytes)
            case Int(NDA_LLADDR):
                if attribute.bytes.count == 6 { mac = attribute.bytes.baseAddress!.readMAC(at: 0) }
            default: break
            }
        }
        guard let destination else { return nil }
        address = destination
    }
}
