import LabFile

/// How much a lab file may hold of each kind: far more than a lab needs, and little enough that reading one ends soon,
/// whoever wrote it. `docs/reference/limits.md` has the same table, which a test compares.
struct LabLimits {
    /// The most entries of a mapping, or elements of a list; `*` stands for every key.
    struct Limit {
        var path: [String]
        var most: Int

        init(_ path: String, _ most: Int) {
            self.path = path.split(separator: ".").map(String.init)
            self.most = most
        }
    }

    static let counts = [
        Limit("networks", 2000), Limit("nodes", 2000), Limit("traffic", 500), Limit("faults", 500),
        Limit("pushes", 500), Limit("scenario", 2000), Limit("capture.on", 10_000),
        Limit("traffic.*.run", 500), Limit("traffic.*.values", 100),
        Limit("nodes.*.interfaces", 1000), Limit("nodes.*.routes", 5000), Limit("nodes.*.routing.rules", 1000),
        Limit("nodes.*.routing.tables.*", 5000), Limit("nodes.*.tracked-routes", 100),
        Limit("nodes.*.loopback", 1000), Limit("nodes.*.sysctls", 500), Limit("nodes.*.services.*", 1000),
        Limit("nodes.*.programs", 50), Limit("nodes.*.programs.*.run", 500),
        Limit("nodes.*.programs.*.args", 500), Limit("nodes.*.image.env", 500),
        Limit("nodes.*.programs.*.files", 100), Limit("nodes.*.programs.*.scratch", 100),
        Limit("nodes.*.programs.*.neighbors", 500), Limit("nodes.*.programs.*.announce", 1000),
        Limit("nodes.*.programs.*.upstreams", 1000),
        Limit("nodes.*.programs.*.events", 100), Limit("nodes.*.programs.*.instances", 100),
        Limit("nodes.*.programs.*.instances.*.addresses", 100), Limit("nodes.*.programs.*.instances.*.peers", 100),
        Limit("nodes.*.programs.*.frontends", 100), Limit("nodes.*.programs.*.backends", 100),
        Limit("nodes.*.programs.*.backends.*.servers", 1000),
        Limit("networks.*.virtual-addresses", 1000), Limit("nodes.*.virtual-addresses", 1000),
        Limit("nodes.*.rules", 5000), Limit("nodes.*.objects", 5000), Limit("nodes.*.objects.*", 5000),
        Limit("nodes.*.url-categories", 1000), Limit("nodes.*.url-categories.*", 10_000),
        Limit("nodes.*.nat.pools", 500), Limit("nodes.*.nat.pools.*.addresses", 1000), Limit("nodes.*.nat.rules", 5000),
        Limit("nodes.*.virtual-services", 1000), Limit("nodes.*.virtual-services.*.pool", 5000),
        Limit("nodes.*.pools", 1000), Limit("nodes.*.pools.*", 5000),
        Limit("pushes.*.add.rules", 5000), Limit("pushes.*.add.objects", 5000),
        Limit("pushes.*.add.nat.rules", 5000), Limit("pushes.*.add.nat.pools", 500),
    ]

    /// Of all nodes of a variant together.
    static let interfaces = 10_000
    /// Of a variant, inherited ones included.
    static let expectations = 1000
    /// Of all traffic programs together, but for kind `udp-crowd`.
    static let flows = 20_000
    /// Characters of a filter with its references replaced: what libpcap compiles in a moment, whatever it says.
    static let filter = 2048
    /// Of all different filters together.
    static let filters = 65_536
    /// Bytes of the words of a program's command line: the kernel takes 128 KiB, in which they are quoted.
    static let commandLine = 32_768
    /// Traffic programs of kind `command` of one node.
    static let commands = 50
    /// Values of the lab, times its variants: each variant reads all of them.
    static let valuesOfVariants = 1_000_000
    static let titleLength = 500
    static let descriptionLength = 20_000

    let reader: LabReader

    /// Reports what a variant has too much of.
    /// - Complexity: O(values of the lab)
    func check(_ lab: LabValue) {
        for limit in Self.counts { check(lab, limit.path[...], limit.most, name: "") }
        var interfaces = 0
        for node in lab["nodes"]?.entries ?? [] {
            interfaces += node.value["interfaces"]?.entries?.count ?? 0
            guard interfaces > Self.interfaces else { continue }
            return reader.report(
                "the nodes up to '\(LabValue.shortened(node.key))' have \(interfaces) interfaces together",
                at: node.keyPosition, allowed: ["at most \(Self.interfaces)"])
        }
    }

    private func check(_ value: LabValue, _ path: ArraySlice<String>, _ most: Int, name: String) {
        guard let key = path.first else { return count(value, most, name: name) }
        let isEvery = key == "*"
        for entry in value.entries ?? [] where isEvery || entry.key == key {
            let inner = (name.isEmpty ? "" : name + ".") + LabValue.shortened(entry.key)
            check(entry.value, path.dropFirst(), most, name: inner)
        }
    }

    private func count(_ value: LabValue, _ most: Int, name: String) {
        let positions = value.entries?.map(\.keyPosition) ?? Self.flattened(value)
        guard positions.count > most else { return }
        reader.report(
            "'\(name)' has \(positions.count) entries", at: positions[most], allowed: ["at most \(most)"])
    }

    /// Lists within lists are as if their elements stood there.
    private static func flattened(_ value: LabValue) -> [SourcePosition] {
        (value.elements ?? []).flatMap { $0.elements == nil ? [$0.position] : flattened($0) }
    }

    /// Reports a text that is too long.
    func check(_ text: String?, of key: String, most: Int, at position: SourcePosition?) {
        guard let text, text.utf8.count > most else { return }
        reader.report(
            "'\(key)' has \(text.utf8.count) characters", at: position, allowed: ["at most \(most)"])
    }
}

extension LabValue {
    /// Values in it, itself included.
    /// - Complexity: O(these)
    var count: Int {
        switch content {
        case .scalar: 1
        case .sequence(let elements): elements.reduce(1) { $0 + $1.count }
        case .mapping(let entries): entries.reduce(1) { $0 + $1.value.count }
        }
    }
}
