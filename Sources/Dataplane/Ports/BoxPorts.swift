import LabTime
public import Wire

/// What every box does at its ports, whatever its role: which frames are its own, ARP and
/// Neighbour Discovery, neighbours, routes, the way to
/// and from the host side, and the counters.
///
/// | from the wire | goes to |
/// |---|---|
/// | unicast to another MAC address | dropped as `notForUs` |
/// | ARP request for an owned address | answered here, never shown to the host side |
/// | other ARP | neighbour table; replies and announcements also to the host side |
/// | IPv4 to the box's MAC addresses or a group | the role (`Reception.ipv4`, `.group`) |
/// | neighbour solicitation for an owned address, on a port with IPv6 | answered here, never shown to the host side |
/// | neighbour advertisement, on a port with IPv6 | neighbour table, and the host side |
/// | other IPv6 to the box's MAC addresses or a group, on a port with IPv6 | the role (`Reception.ipv6`, `.ipv6Group`) |
/// | a frame with a VLAN tag | dropped as `vlanTag` |
/// | other protocols | the role (`Reception.other`) |
///
/// What the host side sends leaves by the wire of the same port, unchanged: its kernel has its own neighbours.
public struct BoxPorts: ~Copyable {
    public var counters = Counters()
    public var neighbors: NeighborTable
    public var routes = RouteTable()
    public var ipv6Routes = IPv6RouteTable()
    /// Addresses that ARP requests and neighbour solicitations are answered for. Change them by `own` and `removeAddress`.
    public internal(set) var owned = OwnedAddresses()

    public let count: Int
    @usableFromInline let ports: UnsafeMutablePointer<BoxPort>
    /// Further unicast MAC addresses that a port accepts: port in the bits above 48, address below.
    var acceptedMACs: [UInt64] = []
    var icmpLimit = ICMPLimit()
    /// What `newIdentification` gives next. Set it apart from that of a box that may share an address.
    public var nextIdentification: UInt16 = 1
    /// When gateways are next asked for; nil where nobody wants them known before they are needed.
    var gatewaysDue: Instant?
    /// Where ICMP errors are put together, before it is known whether they go out or wait for a neighbour.
    @usableFromInline let scratch: UnsafeMutableRawPointer

    /// Owns each port's address and enters its connected network.
    /// - Parameter ports: at most 64
    public init(ports definitions: [BoxPort], neighborTiming: NeighborTiming = NeighborTiming()) {
        precondition(definitions.count <= 64, "a box has at most 64 ports")
        count = definitions.count
        ports = .allocate(capacity: max(1, definitions.count))
        ports.initialize(from: definitions, count: definitions.count)
        scratch = .allocate(byteCount: FrameQueue.longestFrame, alignment: 64)
        neighbors = NeighborTable(timing: neighborTiming)
        for (index, port) in definitions.enumerated() {
            let number = PortIndex(index)
            if let address = port.address {
                owned.insert(.ipv4(address.address), on: number, answering: port.mac)
                routes.insert(Route(destination: address.network, port: number, gateway: nil))
            }
            if let address = port.ipv6, let linkLocal = port.linkLocal {
                owned.insert(.ipv6(address.address), on: number, answering: port.mac)
                owned.insert(.ipv6(linkLocal), on: number, answering: port.mac)
                ipv6Routes.insert(IPv6Route(destination: address.network, port: number, gateway: nil))
            }
        }
    }

    deinit {
        ports.deallocate()
        scratch.deallocate()
    }

    /// - Precondition: `index < count`
    public subscript(index: PortIndex) -> BoxPort {
        get {
            precondition(Int(index) < count)
            return ports[Int(index)]
        }
        set {
            precondition(Int(index) < count)
            ports[Int(index)] = newValue
        }
    }

    // MARK: Addresses

    /// Makes an address the box's: ARP requests or neighbour solicitations for it on `port` are answered with `mac`.
    /// - Parameter isShared: whether others have it as well and send from it, as members with direct server return do
    public mutating func own(
        _ address: IPAddress, on port: PortIndex, answering mac: MACAddress, isShared: Bool = false
    ) {
        owned.insert(address, on: port, answering: mac, isShared: isShared)
    }

    /// Makes an IPv4 address the box's.
    public mutating func own(_ address: IPv4Address, on port: PortIndex, answering mac: MACAddress) {
        owned.insert(.ipv4(address), on: port, answering: mac)
    }

    /// Gives an address up.
    public mutating func removeAddress(_ address: IPv4Address, on port: PortIndex) {
        owned.remove(.ipv4(address), on: port)
    }

    /// Accepts frames to a further unicast MAC address on a port, a virtual router's for instance.
    public mutating func accept(_ mac: MACAddress, on port: PortIndex) {
        let entry = UInt64(port) << 48 | mac.packed
        if !acceptedMACs.contains(entry) { acceptedMACs.append(entry) }
    }

    /// No longer accepts frames to a MAC address that `accept` had added.
    public mutating func refuse(_ mac: MACAddress, on port: PortIndex) {
        acceptedMACs.removeAll { $0 == UInt64(port) << 48 | mac.packed }
    }

    /// Adds a route whose gateway lies on one of the connected networks.
    /// - Returns: false where no connected network has the gateway; nothing was added
    @discardableResult
    public mutating func addRoute(to destination: IPv4Network, via gateway: IPv4Address) -> Bool {
        for index in 0..<count {
            guard let network = ports[index].address?.network, network.contains(gateway) else { continue }
            routes.insert(Route(destination: destination, port: PortIndex(index), gateway: gateway))
            return true
        }
        return false
    }

    /// Takes over the IPv4 routes of the box's own kernel beside the connected networks: those of the lab file and what a
    /// routing daemon learned. A gateway on none of the connected networks is passed over.
    public mutating func replaceRoutes(with kernel: [(destination: IPv4Network, gateway: IPv4Address)]) {
        var new: [Route] = []
        for index in 0..<count {
            guard let network = ports[index].address?.network else { continue }
            new.append(Route(destination: network, port: PortIndex(index), gateway: nil))
        }
        let connected = new
        for (destination, gateway) in kernel {
            guard let way = connected.first(where: { $0.destination.contains(gateway) }),
                !connected.contains(where: { $0.destination == destination })
            else { continue }
            new.append(Route(destination: destination, port: way.port, gateway: gateway))
        }
        routes.replaceAll(with: new)
    }

    /// Adds an IPv6 route, as for IPv4; a link-local gateway says nothing about its port and is refused.
    @discardableResult
    public mutating func addRoute(to destination: IPv6Network, via gateway: IPv6Address) -> Bool {
        for index in 0..<count {
            guard let network = ports[index].ipv6?.network, network.contains(gateway) else { continue }
            ipv6Routes.insert(IPv6Route(destination: destination, port: PortIndex(index), gateway: gateway))
            return true
        }
        return false
    }

    /// Notes that a port gained or lost its carrier. Without it the port sends nothing and its neighbours are
    /// forgotten, because something else may be behind it when it comes back.
    public mutating func setCarrier(of port: PortIndex, isUp: Bool) {
        guard Int(port) < count, ports[Int(port)].isUp != isUp else { return }
        ports[Int(port)].isUp = isUp
        if !isUp { counters.drop(.carrierDown, times: neighbors.forget(on: port)) }
    }
}
