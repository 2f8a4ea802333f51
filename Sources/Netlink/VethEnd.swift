public import Wire

/// One end of a veth pair that is to be created.
public struct VethEnd: Hashable, Sendable {
    public var name: String
    /// nil lets the kernel choose one at random.
    public var mac: MACAddress?
    /// Largest packet in bytes behind the Ethernet header; nil is 1500.
    public var mtu: Int?
    /// The index that the end gets. Requests that name it can then be sent in the same batch, without a look-up.
    /// It must be free both in the socket's namespace, where the kernel looks first, and in the end's own.
    public var index: Int32?
    /// Descriptor of the namespace in which the end is created, in place; nil is the socket's own.
    public var namespace: Int32?

    public init(
        _ name: String, mac: MACAddress? = nil, mtu: Int? = nil, index: Int32? = nil, namespace: Int32? = nil
    ) {
        self.name = name
        self.mac = mac
        self.mtu = mtu
        self.index = index
        self.namespace = namespace
    }
}
