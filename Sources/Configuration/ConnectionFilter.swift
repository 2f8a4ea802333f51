public import Wire

/// Which connections of a box's table are meant, by the flow of their first packet; what is nil is any.
public struct ConnectionFilter: Hashable, Sendable, Codable {
    public var `protocol`: IPProtocol?
    public var source: IPAddress?
    public var destination: IPAddress?
    public var destinationPort: UInt16?

    public init(
        protocol: IPProtocol? = nil, source: IPAddress? = nil, destination: IPAddress? = nil,
        destinationPort: UInt16? = nil
    ) {
        self.protocol = `protocol`
        self.source = source
        self.destination = destination
        self.destinationPort = destinationPort
    }

    public func matches<Family: AddressFamily>(_ flow: FlowKey<Family>) -> Bool {
        (`protocol` ?? flow.protocol) == flow.protocol && (source ?? flow.source.erased) == flow.source.erased
            && (destination ?? flow.destination.erased) == flow.destination.erased
            && (destinationPort ?? flow.destinationPort) == flow.destinationPort
    }
}

extension ConnectionFilter: CustomStringConvertible {
    /// `all`, `tcp from 192.0.2.10 to 198.51.100.10 port 80`
    public var description: String {
        let parts = [
            `protocol`.map { "\($0)" }, source.map { "from \($0)" }, destination.map { "to \($0)" },
            destinationPort.map { "port \($0)" },
        ].compactMap(\.self)
        return parts.isEmpty ? "all" : parts.joined(separator: " ")
    }
}
