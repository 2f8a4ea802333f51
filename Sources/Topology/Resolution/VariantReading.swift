import Impairment
import LabFile
import Measurement

/// Resolves one variant: the lab with the variant's changes laid over it.
struct VariantReading {
    let definition: VariantDefinition
    let tree: LabValue
    let lab: String
    /// The lab's nodes without changes, so that a node's MAC addresses are the same in every variant.
    let nodeOrder: [String]
    let reader: LabReader

    init(
        _ definition: VariantDefinition, root: LabValue, lab: String, nodeOrder: [String], seed: Int?,
        _ reader: LabReader
    ) {
        self.definition = definition
        let changed = definition.changes.reduce(root) { $0.patched(with: $1) }
        tree = seed.map { changed.seeded(with: $0) } ?? changed
        self.lab = lab
        self.nodeOrder = nodeOrder
        self.reader = reader
    }

    func read() -> (Variant, [CaptureFilterDefinition], [CertificateFiles], AbsenceAlone?)? {
        let before = reader.reports
        LabLimits(reader: reader).check(self.tree)
        guard reader.reports == before else { return nil }
        let tree = ImagePrograms(reader: reader).replaced(
            in: ProgramFileTexts(reader: reader).replaced(in: self.tree))
        guard reader.reports == before else { return nil }
        let timers: Timers = tree["timers"].flatMap { $0.isNull ? nil : reader.choice($0, of: "'timers'") } ?? .quick
        let networks = NodeDefinition.named(tree["networks"], "the networks", reader)
            .compactMap { NetworkDefinition($0, reader) }
        let definitions = NodeDefinition.named(tree["nodes"], "the nodes", reader)
            .compactMap { NodeDefinition($0, timers: timers, reader) }
        if definitions.isEmpty, reader.reports == before {
            reader.report("the lab has no nodes", at: tree.position)
        }
        // What refers to nodes would only repeat what is wrong with them.
        guard reader.reports == before else { return nil }

        let written = PushDefinition.all(tree["pushes"], reader)
        var resolution = Resolution(
            reader: reader, lab: lab, networkDefinitions: networks, nodeDefinitions: definitions, timers: timers,
            numbers: numbers(definitions),
            pushedPools: written.flatMap { $0.nat.addedPools + $0.nat.changedPools })
        guard var nodes = resolution.nodes() else { return nil }
        let traffic = TrafficReading(tree["traffic"], resolution, nodes: nodes)
        ServerAssignment(resolution: resolution, traffic: traffic).assign(to: &nodes)
        // A box says what it cannot be in one sentence; what was found before says it better.
        if reader.reports == before { ConfigurationTrial(resolution: resolution).check(nodes) }
        let seed = tree["seed"].flatMap { $0.isNull ? nil : reader.integer($0, of: "'seed'", in: FaultsReading.seeds) }
        // By their words, so that a mistake in a program is not followed by complaints that there is none.
        let words = (tree["traffic"]?.entries ?? []).map(\.key)
        let faults = FaultsReading(
            tree["faults"], nodes: nodes, networks: resolution.networks, traffic: words,
            references: resolution.references,
            seed: seed ?? FaultsReading.usualSeed, reader)
        let capture = CaptureReading.read(tree["capture"], nodes: nodes, elements: faults.elements, reader)
        let origins = Dictionary(traffic.programs.map { ($0.name, $0.from) }, uniquingKeysWith: { first, _ in first })
        let pushes = written.map { LabPush($0, among: written, resolution) }
        let scenario = ScenarioReading(
            tree["scenario"], nodes: nodes, rules: faults.rules, traffic: words, origins: origins, pushes: pushes,
            references: resolution.references, reader)
        reader.beginSuspecting()
        for push in written { resolution.lookThrough(push.nat, among: written.map(\.nat)) }
        faults.checkEvents(scenario.events)
        let expectations = ExpectationReading(
            definition.expectations, nodes: nodes, elements: faults.elements, traffic: words,
            programs: traffic.programs, scenario: scenario, references: resolution.references, capture: capture, reader)
        guard reader.reports == before else { return nil }

        // Chance without a seed in the file has the usual one, and says so.
        let isByChance = faults.rules.contains { $0.rule.action.isByChance }
        let chance = seed ?? (isByChance ? FaultsReading.usualSeed : nil)
        let title = definition.title ?? tree["title"]?.text ?? lab
        let variant = Variant(
            name: definition.name.value, shows: definition.shows, title: title, isOnRequest: definition.isOnRequest,
            timers: timers, networks: resolution.networks,
            nodes: nodes, elements: faults.elements, traffic: traffic.programs, scenario: scenario.steps,
            expectations: expectations.specifications,
            capture: capture, seed: chance, references: resolution.references,
            resolvedYAML: ResolvedText.write(
                tree, definition, resolution, title: title, seed: chance, pushes: scenario.steps.flatMap(\.pushes)))
        let certificates = definitions.flatMap(\.virtualServices).compactMap { $0.http?.certificateFiles }
        let absence = expectations.absenceAlone.map { AbsenceAlone(variant: variant.name, position: $0) }
        return (variant, expectations.filters + faults.filters, certificates, absence)
    }

    /// Nodes of the lab file first, then those that only this variant has.
    private func numbers(_ definitions: [NodeDefinition]) -> [String: Int] {
        var order = nodeOrder
        for node in definitions where !order.contains(node.name.value) { order.append(node.name.value) }
        return Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0 + 1) })
    }
}

extension ScenarioStep {
    /// Names of the pushes that it carries out.
    fileprivate var pushes: [String] { if case .push(let push, _) = self { push.parts.map(\.name) } else { [] } }
}

extension LabValue {
    /// A lab in which one seed stands for those of all faults.
    fileprivate func seeded(with seed: Int) -> LabValue {
        func without(_ fault: LabValue) -> LabValue { fault.entries == nil ? fault : fault.setting("seed", to: nil) }
        var lab = setting("seed", to: LabValue(.scalar("\(seed)", isQuoted: false), at: position))
        if let faults = self["faults"], let entries = faults.entries {
            let changed = entries.map { LabEntry(key: $0.key, keyPosition: $0.keyPosition, value: without($0.value)) }
            lab = lab.setting("faults", to: LabValue(.mapping(changed), at: faults.position))
        }
        return lab
    }
}
