public import LabEvents

/// Something that a scenario does to a node: a fault, or a step on the running lab.
public struct Fault: Sendable {
    package var value: any NodeStepKind

    package init(_ value: any NodeStepKind) { self.value = value }

    /// A line of the table of faults.
    public struct Kind: Sendable {
        package let type: any FaultKind.Type

        package init(_ type: any FaultKind.Type) { self.type = type }

        /// The kind of the event that the fault makes.
        public var event: EventKind { type.event }
        /// What the command needs as its target: `an interface, as in fw-a.inside`
        public var needs: String { type.target.form.needs }
    }

    /// The kind of the event that it makes.
    public var event: EventKind { Swift.type(of: value).event }
    /// The lab's word.
    public var word: String { event.rawValue }
    /// The node, or the in-line element.
    public var node: String { value.node }

    /// What is wrong with a name for its event, in one sentence; nil where a lab file may have it.
    public static func problem(withEventName name: String) -> String? {
        NameRule.word.problem(of: name, "an event").map { "\($0.problem): \($0.allowed)" }
    }
}

/// By the lab's word, which is also the kind of the event.
extension Fault.Kind: RawRepresentable, Hashable, Codable, CaseIterable {
    public static let allCases = FaultKinds.table.map { Self($0) }

    public init?(rawValue: String) {
        guard let kind = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = kind
    }

    public var rawValue: String { event.rawValue }
}

extension Fault: Hashable {
    public static func == (one: Self, other: Self) -> Bool { one.value.hashable == other.value.hashable }
    public func hash(into hasher: inout Hasher) { hasher.combine(value.hashable) }
}

/// `{ "powerOff": { "node": "fw-a" } }`
extension Fault: Codable {
    private static let kinds: [any NodeStepKind.Type] =
        FaultKinds.table.map { $0 as any NodeStepKind.Type } + LiveStepKinds.table.map { $0 as any NodeStepKind.Type }

    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        guard values.allKeys.count == 1, let key = values.allKeys.first,
            let type = Self.kinds.first(where: { $0.key == key.stringValue })
        else {
            let names = values.allKeys.map(\.stringValue).joined(separator: ", ")
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "'\(names)' is no fault and no step on a node"))
        }
        value = try values.decode(type, forKey: key)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(value, forKey: Key(stringValue: type(of: value).key))
    }
}

extension Fault: CustomStringConvertible {
    /// `power-off fw-a`, `link-down fw-a.inside`
    public var description: String { "\(word) \(value.written)" }
}

extension Fault {
    /// As the command has it: `link-down fw-a.inside`. The running lab knows which element has a rule.
    public init?(_ kind: Kind, of text: String) {
        switch kind.type.target {
        case .node(let make), .firewallOfPair(let make): self.init(make(text))
        case .rule(let make): self.init(make(text, ""))
        case .weight:
            guard let weight = WeightFault(text) else { return nil }
            self.init(weight)
        case .program(let make):
            guard let program = ProgramReference(text) else { return nil }
            self.init(make(program))
        case .interface(let make):
            guard let dot = text.firstIndex(of: "."), dot != text.startIndex else { return nil }
            let interface = String(text[text.index(after: dot)...])
            self.init(make(InterfaceReference(node: String(text[..<dot]), interface: interface)))
        }
    }
}
