internal import CNetlink
internal import Glibc

/// An address of an interface as the kernel lists it.
public struct InterfaceAddress: Hashable, Sendable {
    /// Index of the interface.
    public var link: Int32
    public var address: NetworkAddress
    public var prefixLength: Int
    /// Another value than those of `AddressScope` gives nil.
    public var scope: AddressScope?

    init?(_ reply: Reply) {
        guard let header = reply.structure(ifaddrmsg.self) else { return nil }
        link = Int32(bitPattern: header.ifa_index)
        prefixLength = Int(header.ifa_prefixlen)
        scope = AddressScope(rawValue: header.ifa_scope)
        var local: NetworkAddress?
        var prefix: NetworkAddress?
        for attribute in reply.attributes(after: MemoryLayout<ifaddrmsg>.size) {
            switch Int(attribute.type) {
            case Int(IFA_LOCAL): local = NetworkAddress(attribute.bytes)
            // On a point-to-point link this is the other side's; IPv6 has only this one.
            case Int(IFA_ADDRESS): prefix = NetworkAddress(attribute.bytes)
            default: break
            }
        }
        guard let address = local ?? prefix else { return nil }
        self.address = address
    }
}
