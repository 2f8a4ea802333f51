/// A port of a box as its wire namespace has it: the two interfaces that the dataplane reads and writes.
public struct PortInterfaces: Hashable, Sendable {
    /// The link's end, named by the lab (`inside`).
    public var wire: String
    /// The near end of the veth pair to the box's own kernel (`host0`); nil where the port has no host side.
    public var host: String?

    public init(wire: String, host: String?) {
        self.wire = wire
        self.host = host
    }

    /// Ports in the order of their configuration, with host sides `host0`, `host1`, …
    public static func all(_ names: some Sequence<String>) -> [PortInterfaces] {
        names.enumerated().map { PortInterfaces(wire: $1, host: "host\($0)") }
    }
}
