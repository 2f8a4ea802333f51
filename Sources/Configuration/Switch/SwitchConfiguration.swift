/// A switch: it joins the networks of its ports at layer 2 and has no addresses.
public struct SwitchConfiguration: Hashable, Sendable, Codable {
    /// Ports of a switch. A frame that is flooded leaves by each other one, and the queue of a batch has room for that.
    public static let mostPorts = 8

    public var name: String
    public var ports: [PortConfiguration]
    /// Time without a frame from a MAC address after which it is forgotten.
    public var ageing: Duration
    /// The most MAC addresses; further ones are not learned, and frames to them are flooded.
    public var tableSize: Int

    public init(name: String, ports: [PortConfiguration], ageing: Duration = .seconds(300), tableSize: Int = 8192) {
        self.name = name
        self.ports = ports
        self.ageing = ageing
        self.tableSize = tableSize
    }
}
