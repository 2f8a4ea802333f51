package import Wire

/// What changes in a node's network stack while the lab runs.
package enum NetworkChange: Hashable, Sendable, Codable {
    case set([Sysctl])
    case route(RouteChange)
    case address(IPInterfaceAddress, interface: String, EntryVerb)
    /// Without a table the rule with that preference is deleted.
    case rule(RoutingRule)
    /// The kernel forgets the connections that it tracks.
    case clearConntrack
}

package enum EntryVerb: String, CaseIterable, Hashable, Sendable, Codable {
    case add, delete
}

package enum RouteVerb: String, CaseIterable, Hashable, Sendable, Codable {
    case add, replace, delete
}

package struct RouteChange: Hashable, Sendable, Codable {
    package var verb: RouteVerb
    package var destination: IPNetwork
    package var gateway: IPAddress?
    package var device: String?
    /// nil for the main one.
    package var table: UInt32?
    package var metric: UInt32?
    /// The gateway is reached directly though no address of the interface covers it.
    package var isOnLink = false
}

extension RouteChange: CustomStringConvertible {
    /// `replace 0.0.0.0/0 via 192.0.2.1`
    package var description: String {
        let parts: [String?] = [
            verb.rawValue, "\(destination)", gateway.map { "via \($0)" }, device.map { "dev \($0)" },
            table.map { "table \($0)" }, metric.map { "metric \($0)" }, isOnLink ? "onlink" : nil,
        ]
        return parts.compactMap(\.self).joined(separator: " ")
    }
}
