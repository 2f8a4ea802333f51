/// What a virtual network consists of, and which cable is at which port.
struct VirtualTopology {
    struct Plug {
        var cable: VirtualCable
        /// Which end of the cable it is.
        var end: Int
    }

    private(set) var stations: [any VirtualStation] = []
    private(set) var switches: [VirtualSwitch] = []
    private(set) var cables: [VirtualCable] = []
    private var plugs: [ObjectIdentifier: [Int: Plug]] = [:]

    mutating func add(_ station: any VirtualStation) { stations.append(station) }

    mutating func addSwitch(_ name: String) -> VirtualSwitch {
        let hub = VirtualSwitch(name, number: switches.count)
        switches.append(hub)
        return hub
    }

    mutating func add(_ cable: VirtualCable) { cables.append(cable) }

    func number(of station: any VirtualStation) -> Int {
        let number = stations.firstIndex { $0 === station }
        precondition(number != nil, "\(station.name) is of another network")
        return number ?? 0
    }

    /// Puts an end of a cable into a port of a station.
    mutating func plug(_ cable: VirtualCable, end: Int, into station: any VirtualStation, _ port: Int) {
        let old = plugs[ObjectIdentifier(station), default: [:]].updateValue(
            Plug(cable: cable, end: end), forKey: port)
        precondition(old == nil, "\(station.name) has a cable at port \(port) already")
    }

    /// nil where no cable is at the port.
    func plug(at port: Int, of station: any VirtualStation) -> Plug? { plugs[ObjectIdentifier(station)]?[port] }
}
