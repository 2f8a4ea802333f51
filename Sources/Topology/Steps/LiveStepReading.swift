import Configuration
import LabEvents
public import LabFile
import Wire

/// A step on a node as written: what it names, what is done there, and options beside.
package struct LiveStepReading {
    let reader: LabReader
    let nodes: [Node]
    let references: ReferenceTable
    /// The step's own mapping.
    let mapping: MappingReader
    let kind: any LiveStepKind.Type
    /// What it names: a node, an interface, a program.
    let target: Located<String>
    /// What is done there; nil where only a target is written.
    let action: LabValue?

    /// nil, and reported, where it has no target.
    init?(
        _ kind: any LiveStepKind.Type, in mapping: MappingReader, nodes: [Node], references: ReferenceTable,
        _ reader: LabReader
    ) {
        (self.kind, self.mapping, self.nodes, self.references, self.reader) = (kind, mapping, nodes, references, reader)
        guard let value = mapping.required(kind.word) else { return nil }
        if let text = value.text {
            target = Located(value: text, position: value.position)
            action = nil
        } else if let entries = value.entries, entries.count == 1, let entry = entries.first {
            target = Located(value: entry.key, position: entry.keyPosition)
            action = entry.value.isNull ? nil : entry.value
        } else {
            reader.report("'\(kind.word)' is \(value.found)", at: value.position, allowed: [kind.form])
            return nil
        }
    }

    /// Reports a mistake of what is done.
    func refuse(_ problem: String, allowed: [String] = [], suggestion: String? = nil) {
        reader.report(
            problem, at: action?.position ?? target.position, allowed: allowed.isEmpty ? [kind.form] : allowed,
            suggestion: suggestion)
    }

    // MARK: What it names

    func node() -> Node? {
        if let node = nodes.first(where: { $0.name == target.value }) { return node }
        reader.reportUnknown(
            target.value, "\(kind.word) names '\(LabValue.shortened(target.value))', which is no node",
            at: target.position, allowed: nodes.map(\.name))
        return nil
    }

    func program() -> ProgramReference? {
        let known = nodes.flatMap { node in
            node.programs.map { ProgramReference(node: node.name, program: $0.name) }
        }
        if let program = ProgramReference(target.value), known.contains(program) { return program }
        reader.reportUnknown(
            target.value,
            "\(kind.word) names '\(LabValue.shortened(target.value))', which is no program of a node",
            at: target.position,
            allowed: known.isEmpty ? ["node/program; this lab has none"] : known.map(\.description))
        return nil
    }

    /// An interface of a host, or its `lo`.
    func hostInterface() -> InterfaceReference? {
        let hosts = nodes.filter { !$0.hasWireSide }
        let known = hosts.flatMap { node in (node.interfaces.map(\.name) + ["lo"]).map { "\(node.name).\($0)" } }
        if known.contains(target.value), let dot = target.value.firstIndex(of: ".") {
            return InterfaceReference(
                node: String(target.value[..<dot]),
                interface: String(target.value[target.value.index(after: dot)...]))
        }
        let node = nodes.first { target.value.hasPrefix($0.name + ".") }
        let problem =
            node?.hasWireSide == true
            ? "is of \(node?.role.word ?? "a box"), whose addresses are its configuration"
            : "is no interface of a client, backend or router"
        reader.reportUnknown(
            target.value, "\(kind.word) names '\(LabValue.shortened(target.value))', which \(problem)",
            at: target.position, allowed: known)
        return nil
    }

    // MARK: What is done

    /// The words of what is done; nil, and reported, where there are none.
    func words() -> StepWords? {
        let elements = action.map(reader.list) ?? []
        let texts = elements.compactMap(\.text)
        guard !texts.isEmpty, texts.count == elements.count else {
            refuse("'\(kind.word)' of '\(target.value)' is \(action?.found ?? "without what is to be done")")
            return nil
        }
        return StepWords(texts.flatMap { $0.split(whereSeparator: \.isWhitespace).map(String.init) }, of: self)
    }

    /// An address, `node.interface`, a node with one interface, or any reference to an address.
    func address(_ text: String, _ family: IPVersion?) -> IPAddress? {
        if let address = IPAddress(text) { return address }
        let suffixes = family.map { [$0 == .ipv4 ? ".ip" : ".ip6"] } ?? [".ip", ".ip6"]
        let only = nodes.first { $0.name == text && $0.interfaces.count == 1 }?.interfaces.first
        let name = only.map { "\(text).\($0.name)" } ?? text
        if let found = suffixes.compactMap({ references[name + $0] }).first ?? references[text],
            let address = IPAddress(found)
        {
            return address
        }
        refuse(
            "'\(LabValue.shortened(text))' in '\(kind.word)' is no address",
            allowed: [IPAddress.textForm, "node.interface", "network/virtual-address.address"],
            suggestion: Spelling.nearest(to: text, among: references.values.map(\.reference)))
        return nil
    }
}

/// Words that are read one after the other.
struct StepWords {
    private var rest: ArraySlice<String>
    /// The keywords so far.
    private var keywords: Set<String> = []
    private let step: LiveStepReading

    fileprivate init(_ words: [String], of step: LiveStepReading) {
        rest = words[...]
        self.step = step
    }

    var isEmpty: Bool { rest.isEmpty }

    mutating func next() -> String? { rest.popFirst() }

    /// False, and reported, where the keyword, or another one of the same meaning, was there before: the last one would
    /// silently win.
    mutating func isNew(_ keyword: String, as meaning: String? = nil) -> Bool {
        if keywords.insert(meaning ?? keyword).inserted { return true }
        step.refuse(
            "'\(step.kind.word)' has \(meaning.map { "more than one \($0)" } ?? "'\(keyword)' twice")",
            allowed: ["each at most once"])
        return false
    }

    /// nil, and reported, where the words are over.
    mutating func next(_ what: String) -> String? {
        if let word = rest.popFirst() { return word }
        step.refuse("'\(step.kind.word)' ends where \(what) is missing")
        return nil
    }

    /// nil, and reported, where the next word is none of these.
    mutating func choice<T: RawRepresentable & CaseIterable>(_ what: String, as type: T.Type = T.self) -> T?
    where T.RawValue == String {
        guard let word = next(what) else { return nil }
        if let choice = T(rawValue: word) { return choice }
        let words = T.allCases.map(\.rawValue)
        step.refuse(
            "'\(LabValue.shortened(word))' is no \(what) of '\(step.kind.word)'", allowed: words,
            suggestion: Spelling.nearest(to: word, among: words))
        return nil
    }

    mutating func number(_ what: String, in range: ClosedRange<UInt32>) -> UInt32? {
        guard let word = next(what) else { return nil }
        if let number = UInt32(word), range.contains(number) { return number }
        step.refuse(
            "\(what) is '\(LabValue.shortened(word))'",
            allowed: ["a whole number from \(range.lowerBound) to \(range.upperBound)"])
        return nil
    }

    /// A routing table, by number or by the kernel's name.
    mutating func table() -> UInt32? {
        guard let word = next("a table") else { return nil }
        if let table = RoutingTable.named[word] ?? UInt32(word).flatMap({ $0 > 0 ? $0 : nil }) { return table }
        step.refuse(
            "'\(LabValue.shortened(word))' is no routing table",
            allowed: ["a number"] + RoutingTable.named.keys.sorted())
        return nil
    }

    /// nil, and reported, where no such interface is on the node.
    mutating func device(of node: Node) -> String? {
        guard let word = next("an interface") else { return nil }
        let known = node.interfaces.map(\.name) + ["lo"]
        if known.contains(word) { return word }
        step.refuse(
            "'\(node.name)' has no interface '\(LabValue.shortened(word))'", allowed: known,
            suggestion: Spelling.nearest(to: word, among: known))
        return nil
    }
}

extension Fault {
    /// Reads a step that is given while the lab is up: `{ sysctl: { web: { net.ipv4.ip_forward: 0 } }, as: cure }`.
    /// - Returns: the step, and the name of its event where it has one of its own
    /// - Throws: what is wrong with the text, in the manner of lab files
    public static func parsing(
        step text: String, of variant: Variant
    ) throws(LabFileErrors) -> (step: Fault, name: String?) {
        let document = try LabDocument(parsing: text, path: "step")
        let reader = LabReader()
        let step = ScenarioReading.liveStep(document.root, variant.nodes, variant.references, reader)
        guard let step, reader.errors.isEmpty else {
            if reader.errors.isEmpty { reader.report("there is no step in it", at: document.root.position) }
            throw LabFileErrors(reader.errors, in: document.source)
        }
        return step
    }
}

extension ScenarioReading {
    /// Its own name of an event stands beside it as `as`.
    static func liveStep(
        _ value: LabValue, _ nodes: [Node], _ references: ReferenceTable, _ reader: LabReader
    ) -> (step: Fault, name: String?)? {
        guard let entry = value.entries?.first(where: { LiveStepKinds.named($0.key) != nil }),
            let kind = LiveStepKinds.named(entry.key)
        else {
            let word = value.entries?.first?.key ?? value.text ?? ""
            reader.reportUnknown(
                word, "there is no step '\(LabValue.shortened(word))'", at: value.position, allowed: LiveStepKinds.words
            )
            return nil
        }
        guard
            let mapping = MappingReader(
                value, "a '\(kind.word)' step", keys: [kind.word, "as"] + kind.options, reader),
            let reading = LiveStepReading(kind, in: mapping, nodes: nodes, references: references, reader),
            let step = kind.read(reading)
        else { return nil }
        let name = mapping.text("as")
        if let name, !NameRule.word.check(name, "an event", at: mapping["as"]?.position ?? value.position, reader) {
            return nil
        }
        return (Fault(step), name)
    }

    /// Names of the events that a step on a node makes; none of any other step.
    static func liveStepEvents(_ step: LabValue) -> [String] {
        guard let kind = step.entries?.lazy.compactMap({ LiveStepKinds.named($0.key) }).first else { return [] }
        let name = step["as"]?.text ?? kind.word
        return [name] + kind.laterEvents.map { $0.name(of: name) }
    }
}
