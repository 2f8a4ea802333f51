import LabFile
import Wire

/// Writes the lab file of a single variant, with every assigned address, subnet, MAC and VRID in it.
enum ResolvedText {
    static func write(
        _ tree: LabValue, _ definition: VariantDefinition, _ resolution: Resolution, title: String, seed: Int?,
        pushes: [String]
    ) -> String {
        let place = SourcePosition(line: 1, column: 1)
        func text(_ text: String) -> LabValue { LabValue(.scalar(text, isQuoted: false), at: place) }
        func mapping(_ pairs: [(String, LabValue)]) -> LabValue {
            LabValue(
                .mapping(pairs.map { LabEntry(key: $0.0, keyPosition: place, value: $0.1) }), at: place)
        }

        /// One text, or a list of several.
        func list(_ texts: [String]) -> LabValue {
            texts.count == 1 ? text(texts[0]) : LabValue(.sequence(texts.map(text)), at: place)
        }
        /// A family that is left out stays so.
        func address(_ interface: Interface) -> LabValue {
            let own = interface.addresses.map { "\($0.address)" }
            let families = resolution.network(named: interface.network)?.subnets.count ?? own.count
            return list(own.isEmpty || own.count < families ? own + ["none"] : own)
        }

        let networks = resolution.networks.map { network -> (String, LabValue) in
            var values = [
                ("subnet", list(network.subnets.map { "\($0)" })), ("mtu", text("\(network.mtu)")),
                ("switch", text(network.kind == .switch ? "on" : "off")),
            ]
            if let written = tree["networks"]?[network.name]?["virtual-addresses"] {
                values.append(("virtual-addresses", written))
            }
            return (network.name, mapping(values))
        }
        let nodes = resolution.nodeDefinitions.map { node -> (String, LabValue) in
            let name = node.name.value
            let interfaces = (resolution.interfaces[name] ?? []).map { interface -> (String, LabValue) in
                let values = [
                    ("network", text(interface.network)),
                    ("address", address(interface)),
                    ("mac", text("\(interface.mac)")),
                ]
                return (interface.name, mapping(values))
            }
            var written = (tree["nodes"]?[name] ?? mapping([])).setting("interfaces", to: mapping(interfaces))
            // Named from here, the files are found from the run's folder, too.
            for service in node.virtualServices {
                guard let files = service.http?.certificateFiles, let services = written["virtual-services"],
                    let entry = services[service.name.value]
                else { continue }
                let tls = mapping([("certificate", text(files.certificate)), ("key", text(files.key))])
                written = written.setting(
                    "virtual-services", to: services.setting(service.name.value, to: entry.setting("tls", to: tls)))
            }
            if let pair = resolution.pairs.first(where: { $0.members[0].name == name }) {
                let ids = pair.routers.map { ($0.ports[0], text("\($0.id)")) }
                let redundancy = written["redundancy"] ?? mapping([])
                written = written.setting(
                    "redundancy",
                    to: redundancy.setting("peer", to: text(pair.members[1].name))
                        .setting("virtual-router-ids", to: mapping(ids)))
            }
            return (name, written)
        }
        var variant = [("shows", text(definition.shows.rawValue)), ("title", text(title))]
        if definition.isOnRequest { variant.append(("on-request", text("on"))) }
        if !definition.expectations.isEmpty {
            variant.append(("expect", LabValue(.sequence(definition.expectations), at: place)))
        }
        let kept = (tree.entries ?? []).filter { !$0.key.hasPrefix(LabReading.anchorPrefix) && $0.key != "expect" }
        var result = LabValue(.mapping(kept), at: tree.position)
        result = result.setting("pushes", to: result["pushes"].flatMap { Self.needed($0, by: pushes) })
        if let seed { result = result.setting("seed", to: text("\(seed)")) }
        return result.setting("networks", to: mapping(networks)).setting("nodes", to: mapping(nodes))
            .setting("variants", to: mapping([(definition.name.value, mapping(variant))])).yaml
    }

    /// The pushes that a variant carries out, and those that add what these name. Others may name what only another
    /// variant has, and are then refused in a file of one variant.
    private static func needed(_ pushes: LabValue, by names: [String]) -> LabValue? {
        guard let all = pushes.entries else { return pushes }
        var needed = Set(names)
        // Every word of a push may name what another one adds.
        while true {
            let words = all.filter { needed.contains($0.key) }.reduce(into: Set<String>()) { $1.value.collect(&$0) }
            let more = all.filter { !needed.contains($0.key) && $0.value.addsAny(of: words) }
            if more.isEmpty { break }
            needed.formUnion(more.map(\.key))
        }
        let kept = all.filter { needed.contains($0.key) }
        return kept.isEmpty ? nil : LabValue(.mapping(kept), at: pushes.position)
    }
}

extension LabValue {
    /// Every scalar in it.
    fileprivate func collect(_ words: inout Set<String>) {
        if let text { words.insert(text) }
        for element in elements ?? [] { element.collect(&words) }
        for entry in entries ?? [] { entry.value.collect(&words) }
    }

    /// Whether a push adds something of one of these names.
    fileprivate func addsAny(of words: Set<String>) -> Bool {
        guard let added = self["add"] else { return false }
        let places = [added["objects"], added["rules"], added["nat"]?["pools"], added["nat"]?["rules"]]
        return places.contains { ($0?.entries ?? []).contains { words.contains($0.key) } }
    }
}
