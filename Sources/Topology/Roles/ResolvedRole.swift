import Configuration
import LabEvents

/// What a role's configuration is to those who need not know which it is.
protocol ResolvedRole {
    /// The lab file's word.
    var word: String { get }
    /// Whether it is a box: an appliance with a wire side and a host side.
    var isBox: Bool { get }
    /// What a node reports events as. A scenario never begins to wait before an element or a tunnel is ready, so these
    /// are not among them.
    func eventReporters(of node: Node) -> [EventReporter]
    /// The counters that its process reports, those of its sockets excepted.
    func counterScope(of node: Node) -> CounterScope
    /// Makes the box once, with small tables and without a frame.
    /// - Throws: what in the configuration it refuses
    func make(of node: Node, capacity: Int) throws(ConfigurationError)
}

extension Node.Role {
    var resolved: any ResolvedRole {
        switch self {
        case .host(let host): host
        case .firewall(let firewall): firewall
        case .loadBalancer(let balancer): balancer
        case .gatewayFirewall(let gateway): gateway
        case .switch(let configuration): configuration
        case .element(let element): element
        }
    }
}
