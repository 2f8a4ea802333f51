/// `snat-port: 4000`: a field of a record, an event's detail or a field of a log's line, and what
/// it must be.
public struct RecordCheck: Hashable, Sendable, Codable {
    public enum Condition: Hashable, Sendable, Codable {
        case isOneOf([String])
        case isNoneOf([String])
        /// Of numbers, also with decimals.
        case compares(Comparison<Double>)
        /// The same as that detail of the first event of that name.
        case isThatOf(event: String, detail: String)
    }

    public var field: String
    public var condition: Condition

    public init(field: String, condition: Condition) {
        self.field = field
        self.condition = condition
    }
}

extension RecordCheck {
    /// `snat-port = 4000`, `status one of 502, 504`
    var words: String {
        switch condition {
        case .isOneOf(let values):
            values.count == 1 ? "\(field) = \(values[0])" : "\(field) one of \(values.joined(separator: ", "))"
        case .isNoneOf(let values):
            values.count == 1 ? "\(field) ≠ \(values[0])" : "\(field) none of \(values.joined(separator: ", "))"
        case .compares(let comparison): "\(field) \(comparison.relation.rawValue) \(comparison.value.forPeople)"
        case .isThatOf(let event, let detail): "\(field) = \(detail) of \(event)"
        }
    }
}

extension [RecordCheck] {
    var words: String { map(\.words).joined(separator: " and ") }
}

extension Double {
    /// Whole numbers without a point.
    var forPeople: String { self == rounded() && magnitude < 1e15 ? "\(Int(self))" : "\(self)" }
}
