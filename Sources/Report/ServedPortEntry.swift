/// What answers at a port of a node, as the lab file says.
public struct ServedPortEntry: Hashable, Sendable, Codable {
    public var node: String
    /// `80/tcp`; of a virtual service with its address: `192.0.2.100:80/tcp`
    public var port: String
    public var server: String

    public init(node: String, port: String, server: String) {
        self.node = node
        self.port = port
        self.server = server
    }
}
