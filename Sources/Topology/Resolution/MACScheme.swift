public import Wire

/// MAC addresses that are the same in each run and that a reader of a capture recognises.
///
///      0    1    2    3    4    5
///     02 : LL : LL : NN : NN : II
///
/// `02` is locally administered; `LL` is a hash of the lab's name, so that two labs differ; `NN` is the node's number
/// in the lab file and `II` that of its interface, both from 1.
public enum MACScheme {
    static func address(lab: String, node: Int, interface: Int) -> MACAddress {
        // FNV-1a, folded: Swift's own hash differs from run to run.
        var hash: UInt32 = 0x811c_9dc5
        for byte in lab.utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        let folded = UInt64((hash >> 16) ^ (hash & 0xffff))
        return MACAddress(
            packed: 0x02 << 40 | folded << 24 | UInt64(node & 0xffff) << 8 | UInt64(interface & 0xff))
    }

    /// The switch's end of an interface's cable: the interface's address, beginning with `06`.
    public static func switchPort(of interface: MACAddress) -> MACAddress {
        MACAddress(packed: interface.packed & 0xff_ffff_ffff | 0x06 << 40)
    }

    /// A port of an in-line element: the address of the interface that names its cable, beginning with `0e` or `12`.
    public static func elementPort(_ index: Int, of interface: MACAddress) -> MACAddress {
        MACAddress(packed: interface.packed & 0xff_ffff_ffff | (index == 0 ? 0x0e : 0x12) << 40)
    }

    /// The wire side's end of a box's internal link to its host side: the port's address, beginning with `0a`.
    public static func internalEnd(of interface: MACAddress) -> MACAddress {
        MACAddress(packed: interface.packed & 0xff_ffff_ffff | 0x0a << 40)
    }
}
