import LabFile
import Measurement
import Wire

/// What somebody asks of a node itself: a traffic program, a balancer for its pool or its monitor, a proxy.
struct ServerDemand {
    var node: String
    /// The address that is asked.
    var address: IPAddress
    var port: TransportPort
    /// What of failoverlab's own would answer; nil where that is for the lab to say.
    var server: ServerProgram?
    /// Whether only a program of the lab can answer.
    var needsProgram = false
    /// Who asks, as messages call it: `traffic program 'app'`, `a pool member of virtual service lb/web`
    var what: String
    var position: SourcePosition?

    init(
        node: String, address: IPAddress, port: TransportPort, server: ServerProgram? = nil, what: String,
        position: SourcePosition?
    ) {
        self.node = node
        self.address = address
        self.port = port
        self.server = server
        self.what = what
        self.position = position
    }

    init(node: String, address: IPAddress, server: ServerProgram, what: String, position: SourcePosition?) {
        self.init(
            node: node, address: address, port: server.transportPort, server: server, what: what, position: position)
    }
}

/// `8080/tcp`
struct TransportPort: Hashable, CustomStringConvertible {
    var port: UInt16
    var transport: IPProtocol

    init(_ port: UInt16, _ transport: IPProtocol) {
        self.port = port
        self.transport = transport
    }

    var description: String { "\(port)/\(transport)" }
}

extension ServerProgram {
    var transportPort: TransportPort { TransportPort(port, kind.transport) }
}
