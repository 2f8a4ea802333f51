internal import CLinux
internal import Glibc
internal import SystemPackage

/// Work that a driver may leave to its hardware. A veth has none: with offloads on, captures show frames as no wire
/// carries them, without checksums and longer than the MTU.
public enum Offload: Hashable, Sendable, CaseIterable {
    case transmitChecksum
    case scatterGather
    case tcpSegmentation
    case genericSegmentation
    case genericReceive

    /// As `ethtool -K` calls it.
    public var name: String {
        switch self {
        case .transmitChecksum: "tx"
        case .scatterGather: "sg"
        case .tcpSegmentation: "tso"
        case .genericSegmentation: "gso"
        case .genericReceive: "gro"
        }
    }

    private var commands: (get: Int32, set: Int32) {
        switch self {
        case .transmitChecksum: (ETHTOOL_GTXCSUM, ETHTOOL_STXCSUM)
        case .scatterGather: (ETHTOOL_GSG, ETHTOOL_SSG)
        case .tcpSegmentation: (ETHTOOL_GTSO, ETHTOOL_STSO)
        case .genericSegmentation: (ETHTOOL_GGSO, ETHTOOL_SGSO)
        case .genericReceive: (ETHTOOL_GGRO, ETHTOOL_SGRO)
        }
    }

    /// - Returns: 0 or an errno
    fileprivate func turnOff(on interface: String, through socket: Int32) -> Int32 {
        let result = -cl_ethtool_set(socket, interface, UInt32(commands.set), 0)
        // A driver that lets nobody change a feature is as good, if the feature is off.
        if result == EOPNOTSUPP, cl_ethtool_get(socket, interface, UInt32(commands.get)) <= 0 { return 0 }
        return result
    }

    /// - Returns: nil where the driver does not report it
    fileprivate func isOn(on interface: String, through socket: Int32) -> Bool? {
        let result = cl_ethtool_get(socket, interface, UInt32(commands.get))
        return result < 0 ? nil : result == 1
    }
}

extension NetlinkSocket {
    /// Disables offloads, so that captures show frames as on a wire.
    ///
    /// Equals `ethtool -K NAME tx off sg off tso off gso off gro off`; one system call for each.
    public borrowing func turnOff(
        _ offloads: [Offload] = Offload.allCases, on interface: String
    ) throws(NetlinkError) {
        for offload in offloads {
            let code = offload.turnOff(on: interface, through: fileDescriptor)
            guard code == 0 else {
                throw NetlinkError(
                    code == ENODEV ? .noSuchInterface : .refused, verb: "turn \(offload.name) offload off",
                    interface: interface, errno: Errno(rawValue: code))
            }
        }
    }

    /// Has the kernel notice at once that a link has carrier; otherwise a worker does, some time later, and until then
    /// frames that are sent through the link are thrown away without an error.
    ///
    /// Equals `ethtool NAME`
    /// - Returns: whether it has carrier
    @discardableResult
    public borrowing func noticeCarrier(of interface: String) -> Bool {
        cl_ethtool_get(fileDescriptor, interface, UInt32(ETHTOOL_GLINK)) == 1
    }

    /// The offloads that are on.
    ///
    /// Equals `ethtool -k NAME`
    public borrowing func offloads(of interface: String) -> [Offload] {
        Offload.allCases.filter { $0.isOn(on: interface, through: fileDescriptor) == true }
    }
}
