import Dataplane
import Wire

/// A virtual router and the port that it is on.
struct VirtualRouterPort {
    var id: UInt8
    var port: PortIndex
    var portName: String
    var addresses: [IPv4Address]
    /// What the port's own address is, which advertisements come from.
    var ownAddress: IPv4Address
    /// The MAC address that the Active answers for the virtual addresses with, and sends from.
    var mac: MACAddress
    var usesVirtualMAC: Bool
}
