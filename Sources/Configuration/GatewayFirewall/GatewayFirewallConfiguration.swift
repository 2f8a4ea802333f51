public import Dataplane

/// A gateway firewall: it stands alone between two networks and judges what crosses its interfaces.
public struct GatewayFirewallConfiguration: Hashable, Sendable, Codable {
    public var name: String
    public var ports: [PortConfiguration]
    /// Of a routed one.
    public var routes: [RouteConfiguration]
    public var mode: GatewayMode
    public var profile: StateProfile
    /// One for each port, in their order.
    public var filtering: [PortFiltering]
    public var midStreamPickup: MidStreamPickup
    public var outOfStatePolicy: OutOfStatePolicy
    public var timers: StateTimers

    /// Saved runs have these names.
    private enum CodingKeys: String, CodingKey {
        case name, ports, routes, mode, profile, filtering, timers
        case midStreamPickup = "pickUp"
        case outOfStatePolicy = "misfitPolicy"
    }

    /// - Parameters:
    ///   - outOfStatePolicy: nil for the profile's own
    ///   - timers: nil for the profile's own
    public init(
        name: String, ports: [PortConfiguration], routes: [RouteConfiguration] = [], mode: GatewayMode,
        profile: StateProfile, filtering: [PortFiltering], midStreamPickup: MidStreamPickup = .loose,
        outOfStatePolicy: OutOfStatePolicy? = nil, timers: StateTimers? = nil
    ) {
        self.name = name
        self.ports = ports
        self.routes = routes
        self.mode = mode
        self.profile = profile
        self.filtering = filtering
        self.midStreamPickup = midStreamPickup
        self.outOfStatePolicy = outOfStatePolicy ?? profile.outOfStatePolicy
        self.timers = timers ?? profile.timers
    }
}

public enum GatewayMode: String, Hashable, Sendable, Codable, CaseIterable {
    /// A bump in the wire between two ports without addresses.
    case transparent
    case routed
}

/// Which packets an interface of a gateway firewall judges.
public enum PortFiltering: String, Hashable, Sendable, Codable, CaseIterable {
    case off
    /// Those that come in. What leaves neither makes nor touches a state.
    case inboundOnly = "inbound-only"
    /// Those that come in and those that leave.
    case both
}
