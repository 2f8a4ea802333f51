/// The roles of nodes. What a resolved role is to the rest is its conformance to `ResolvedRole`.
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
}
