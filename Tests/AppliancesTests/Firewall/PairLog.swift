import Appliances
import Dataplane
import LabTime
import Redundancy
import VirtualNetwork
import Wire

/// What was on the networks of a pair.
struct PairLog {
    struct Entry {
        var at: Instant
        var network: Int
        /// Boxes 0 and 1, client 2, server 3.
        var sender: Int
        var frame: SeenFrame
    }

    var captured: [Entry] = []
    var isCapturing = true
    /// Transit frames that a box sent although it was Backup.
    private(set) var trespasses = 0
    private var lastOfCrossConnect: Entry?

    mutating func add(_ entry: TraceEntry) {
        let network = FirewallLab.portNames.firstIndex(of: entry.link) ?? 0
        let sender = ["fw-a", "fw-b", "client", "server"].firstIndex(of: entry.sender) ?? 0
        let entry = Entry(at: entry.at, network: network, sender: sender, frame: SeenFrame(bytes: entry.bytes))
        if isCapturing { captured.append(entry) }
        if network == FirewallLab.crossConnect { lastOfCrossConnect = entry }
    }

    mutating func check(_ frame: BoxFrame, of box: VirtualBox<Firewall>) {
        guard frame.side == .wire, box.carrier[Int(frame.port)], box.firewall.role != .active,
            SeenFrame(bytes: frame.bytes).flow?.protocol == .tcp
        else { return }
        trespasses += 1
    }

    /// The last frame that was sent on the cross-connect since the last call.
    mutating func takeLastOfCrossConnect() -> Entry? {
        defer { lastOfCrossConnect = nil }
        return lastOfCrossConnect
    }
}

extension VirtualBox where Box == Firewall {
    var firewall: Firewall {
        _read { yield appliance }
        _modify { yield &appliance }
    }

    /// What its own kernel received.
    var host: [SeenFrame] { hostFrames.map { SeenFrame(bytes: $0.bytes) } }
}

/// A host of a pair's network: client 192.0.2.10 outside, server 198.51.100.20 inside.
extension VirtualHost {
    var network: Int { name == "client" ? FirewallLab.outside : FirewallLab.inside }
    var gateway: IPv4Address { FirewallLab.virtualAddresses[network] }

    var address: IPv4Address {
        guard case .ipv4(let address) = addresses[0] else { return .any }
        return address
    }

    var gatewayMAC: MACAddress? {
        get { neighbors[.ipv4(gateway)] }
        set { neighbors[.ipv4(gateway)] = newValue }
    }
}

extension ReceivedFrame {
    var frame: SeenFrame { SeenFrame(bytes: bytes) }
}
