import Configuration

/// The roles of nodes.
enum RoleForms {
    /// One line a role, in the order in which messages list them.
    static let table: [RoleForm] = [
        .client,
        .backend,
        .router,
        .firewall,
        .loadBalancer,
        .gatewayFirewall,
        .switch,
    ]

    /// By their names in files. A lab file does not write an in-line element as a node, but it has a process.
    static let configurations: [String: any ResolvedRole.Type] = Dictionary(
        (table.map(\.configuration) + [InLineElementConfiguration.self]).map { ($0.key, $0) },
        uniquingKeysWith: { first, _ in first })
}
