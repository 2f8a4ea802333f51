/// One line under `expect:` of a variant, with every reference (`fw-a.inside.mac`) already resolved to a value.
public struct ExpectationSpecification: Hashable, Sendable {
    /// What is expected, of whichever kind.
    public struct Subject: Sendable {
        public let value: any ExpectationKind

        public init(_ value: any ExpectationKind) { self.value = value }
    }

    /// Unique within the variant; made from its words where the lab gives none (`new-succeeds`).
    public var id: String
    public var subject: Subject

    public init(id: String, subject: Subject) {
        self.id = id
        self.subject = subject
    }
}

extension ExpectationSpecification.Subject: Hashable {
    public static func == (one: Self, other: Self) -> Bool { AnyHashable(one.value) == AnyHashable(other.value) }
    public func hash(into hasher: inout Hasher) { hasher.combine(AnyHashable(value)) }
}

extension ExpectationSpecification.Subject {
    /// What is expected, as a sentence without its full stop.
    public var sentence: String { value.sentence }
    /// Whether it would pass in a lab in which nothing happens at all.
    public var isBorneOutByAbsence: Bool { value.isBorneOutByAbsence }
}
