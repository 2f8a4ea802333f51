public import SystemPackage

/// Why a box's packet socket could not be opened.
public enum PacketSocketError: Error, Hashable, Sendable {
    /// The namespace has no interface of this name.
    case noInterface(String)
    /// More ports than a `PortIndex` can number, or none.
    case portCount(Int)
    /// The process lacks CAP_NET_RAW over its network namespace.
    case notPermitted
    /// The kernel has no packet sockets, or none with receive rings of version 2.
    case notSupported(Errno)
    /// There is no memory for the receive ring.
    case noMemory(bytes: Int)
    /// Any other refusal: of which step, and why.
    case refused(step: String, Errno)
}

extension PacketSocketError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noInterface(let name):
            "The box has no interface '\(name)' in its wire namespace; create its links before its dataplane starts."
        case .portCount(let count):
            "A box has 1 to 128 ports, not \(count)."
        case .notPermitted:
            "Packet sockets are not permitted here: the process needs CAP_NET_RAW over its network namespace, "
                + "which it has as root or inside a user namespace of its own."
        case .notSupported(let error):
            "This kernel has no packet sockets with receive rings (\(error)): it needs CONFIG_PACKET, "
                + "as module af_packet where it is not built in ('modprobe af_packet')."
        case .noMemory(let bytes):
            "The kernel has no \(bytes >> 10) KiB for the box's receive ring: free memory, or use fewer slots."
        case .refused(let step, let error):
            "The kernel refused to \(step) (\(error))."
        }
    }
}
