import LabFile

/// Resolves one variant: the lab with the variant's changes laid over it.
struct VariantReading {
    let definition: VariantDefinition
    let tree: LabValue
    let lab: String
    /// The lab's nodes without changes, so that a node's MAC addresses are the same in every variant.
    let nodeOrder: [String]
    let reader: LabReader

    init(_ definition: VariantDefinition, root: LabValue, lab: String, nodeOrder: [String], _ reader: LabReader) {
        self.definition = definition
        tree = definition.changes.reduce(root) { $0.patched(with: $1) }
        self.lab = lab
        self.nodeOrder = nodeOrder
        self.reader = reader
    }

    func read() -> (Variant, [CaptureFilter], [CertificateFiles])? {
        let before = reader.reports
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

        var resolution = Resolution(
            reader: reader, lab: lab, networkDefinitions: networks, nodeDefinitions: definitions, timers: timers,
            numbers: numbers(definitions))
        guard var nodes = resolution.nodes() else { return nil }
        let traffic = TrafficReading(tree["traffic"], resolution, nodes: nodes)
        ServerAssignment(resolution: resolution, traffic: traffic).assign(to: &nodes)
        // By their words, so that a mistake in a program is not followed by complaints that there is none.
        let words = (tree["traffic"]?.entries ?? []).map(\.key)
        let faults = FaultsReading(
            tree["faults"], nodes: nodes, networks: resolution.networks, traffic: words, references: resolution.references,
            reader)
        let capture = CaptureReading.read(tree["capture"], nodes: nodes, elements: faults.elements, reader)
        let pushes = PushReading.changes(tree["pushes"], reader)
        let scenario = ScenarioReading(
            tree["scenario"], nodes: nodes, rules: faults.rules, traffic: words, pushes: pushes, reader)
        faults.checkEvents(scenario.events)
        let expectations = ExpectationReading(
            definition.expectations, nodes: nodes, elements: faults.elements, traffic: words, scenario: scenario,
            references: resolution.references, capture: capture, reader)
        guard reader.reports == before else { return nil }

        let title = definition.title ?? tree["title"]?.text ?? lab
        let variant = Variant(
            name: definition.name.value, shows: definition.shows, title: title, networks: resolution.networks,
            nodes: nodes, elements: faults.elements, traffic: traffic.programs, scenario: scenario.steps,
            expectations: expectations.specifications,
            capture: capture, resolvedYAML: ResolvedText.write(tree, definition, resolution, title: title))
        let certificates = definitions.flatMap(\.virtualServices).compactMap { $0.http?.certificateFiles }
        return (variant, expectations.filters + faults.filters, certificates)
    }

    /// Nodes of the lab file first, then those that only this variant has.
    private func numbers(_ definitions: [NodeDefinition]) -> [String: Int] {
        var order = nodeOrder
        for node in definitions where !order.contains(node.name.value) { order.append(node.name.value) }
        return Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0 + 1) })
    }
}
