public import Expectation

/// The kinds of expectations.
enum ExpectationForms {
    /// One line a kind, in the order in which messages list them.
    static let table: [ExpectationForm] = [
        .frames,
        .event,
        .log,
        .counter,
        .moved,
        .carriedOver,
        .outage,
        .traffic,
    ]

    /// The keys that name a kind.
    static let words = table.compactMap(\.word)

    /// Every key of an expectation, but for the names of traffic programs: these cannot be names of such.
    static let keys: [String] = {
        var keys = ["id"] + words
        for key in table.flatMap(\.requirements) where !keys.contains(key) { keys.append(key) }
        return keys
    }()

    static func form(of word: String) -> ExpectationForm { table.first { $0.word == word } ?? .traffic }
}

/// A lab's expectations are sent to the process that runs it, each beside the name of its kind.
extension ExpectationSpecification: Codable {
    private enum Key: String, CodingKey {
        case id, kind, subject
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        let form = ExpectationForms.form(of: try values.decode(String.self, forKey: .kind))
        let value: any ExpectationKind = try values.decode(form.subject, forKey: .subject)
        self.init(id: try values.decode(String.self, forKey: .id), subject: Subject(value))
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        let kind = type(of: subject.value)
        guard let form = ExpectationForms.table.first(where: { $0.subject == kind }) else {
            let context = EncodingError.Context(codingPath: encoder.codingPath, debugDescription: "\(kind) has no form")
            throw EncodingError.invalidValue(subject.value, context)
        }
        try values.encode(id, forKey: .id)
        try values.encode(form.name, forKey: .kind)
        try values.encode(subject.value, forKey: .subject)
    }
}
