/// The keys of each mapping of a lab file, in the order in which messages list them.
enum LabKeys {
    static let top = [
        "schema", "name", "title", "reference", "description", "timers", "seed", "networks", "nodes", "traffic",
        "faults",
        "pushes", "scenario", "expect", "variants", "capture",
    ]
    /// Top-level keys with this prefix only hold values for anchors.
    static let anchorPrefix = "x-"

    static let network = ["subnet", "mtu", "switch"]
    static let interface = ["network", "address", "mac"]
    static let redundancy = [
        "peer", "priority", "preempt", "virtual-mac", "advertise-every", "heartbeat-every", "heartbeat-misses",
        "startup-silent-period", "addresses", "cross-connect", "virtual-router-ids", "timers", "track", "key", "defer",
        "conduit",
    ]
    static let nat = ["pools", "rules", "timers"]
    static let natPool = ["addresses", "ports", "filtering", "pooling"]
    static let natRule = ["source", "destination", "protocol", "ports", "pool"]
    static let natTimers = ["udp", "tcp-established", "tcp-transitory", "icmp-query"]
    static let firewall = [
        "redundancy", "nat", "objects", "rules", "otherwise", "sessions", "url-categories", "application-gateways",
    ]
    static let conduit = ["spread", "workers"]
    static let rule = ["action", "on", "from", "to", "protocol", "ports"]
    static let push = ["change", "to", "mode"]
    static let pushChange = ["add", "change", "delete"]
    static let gatewayFirewall = ["mode", "profile", "filter", "pick-up", "misfit", "timers"]
    static let virtualService =
        [
            "listen", "profile", "application-profile", "pool", "scheduler", "snat", "dsr", "monitor", "idle-timeout",
        ]
        + HTTPServiceDefinition.keysOfService
    static let routing = ["tables", "rules"]
    static let routingRule = ["preference", "from", "to", "in", "table", "remove"]
    static let poolMember = ["member", "weight"]
    static let monitor = ["kind", "asks", "port", "path", "every", "timeout", "fall", "rise"]
    static let directReturn = ["mode", "clamp-mss", "path-mtu-discovery", "any-scheduler"]
    static let tunnel = ["mode", "end", "from", "address", "clamp-mss"]
    static let fault = [
        "on", "direction", "match", "class", "flow-of", "occurrence", "each-flow", "times", "do", "armed", "seed",
    ]
    static let variant = ["shows", "title", "on-request", "extends", "change", "expect"]
    static let capture = ["on", "snapshot-length"]
}
