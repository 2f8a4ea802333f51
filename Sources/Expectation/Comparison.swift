/// `"< 1s"`, `">= 3"`, `"0"`.
public struct Comparison<Value: Hashable & Comparable & Sendable & Codable>: Hashable, Sendable, Codable {
    public enum Relation: String, Hashable, Sendable, Codable, CaseIterable {
        case less = "<"
        case lessOrEqual = "<="
        case equal = "="
        case greaterOrEqual = ">="
        case greater = ">"
    }

    public var relation: Relation
    public var value: Value

    public init(_ relation: Relation, _ value: Value) {
        self.relation = relation
        self.value = value
    }

    public func holds(for seen: Value) -> Bool {
        switch relation {
        case .less: seen < value
        case .lessOrEqual: seen <= value
        case .equal: seen == value
        case .greaterOrEqual: seen >= value
        case .greater: seen > value
        }
    }
}
