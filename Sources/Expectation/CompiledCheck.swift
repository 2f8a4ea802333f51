/// A check whose field and values have been read.
struct CompiledCheck: Hashable, Sendable {
    enum Condition: Hashable, Sendable {
        case isOneOf([FieldPattern])
        case isNot(FieldPattern)
        case compares(Comparison<Int>)
    }

    var field: FrameField
    var condition: Condition

    init(_ check: FieldCheck) throws(UndecidableExpectation) {
        if let problem = check.problem { throw UndecidableExpectation(problem) }
        guard let field = FrameField(check.field) else {
            throw UndecidableExpectation("there is no field '\(check.field)'")
        }
        func patterns(_ values: [String]) -> [FieldPattern] { values.compactMap { FieldPattern($0, for: field.name) } }
        self.field = field
        switch check.condition {
        case .equals(let value):
            condition = .isOneOf(patterns([value]))
        case .isOneOf(let values):
            condition = .isOneOf(patterns(values))
        case .isNot(let value):
            guard let pattern = patterns([value]).first else {
                throw UndecidableExpectation("'\(value)' is not a value of \(field)")
            }
            condition = .isNot(pattern)
        case .compares(let comparison):
            condition = .compares(comparison)
        }
    }

    /// A frame that lacks the field passes no check of it, not even `isNot`.
    func holds(for reading: FrameReading) -> Bool {
        guard let value = reading.value(of: field) else { return false }
        switch condition {
        case .isOneOf(let patterns): return patterns.contains { $0.matches(value) }
        case .isNot(let pattern): return !pattern.matches(value)
        case .compares(let comparison):
            guard case .number(let number) = value else { return false }
            return comparison.holds(for: Int(number))
        }
    }

    /// `eth.dst is 02:00:00:00:00:0b`, `it has no tcp.flags`
    func seen(in reading: FrameReading) -> String {
        reading.value(of: field).map { "\(field) is \($0.text(for: field.name))" } ?? "it has no \(field)"
    }
}

extension [CompiledCheck] {
    init(_ checks: [FieldCheck]) throws(UndecidableExpectation) {
        self = try checks.map { (check) throws(UndecidableExpectation) in try CompiledCheck(check) }
    }

    func hold(for reading: FrameReading) -> Bool { allSatisfy { $0.holds(for: reading) } }

    /// What the broken checks saw.
    func seenWhereBroken(in reading: FrameReading) -> String {
        filter { !$0.holds(for: reading) }.map { $0.seen(in: reading) }.joined(separator: " and ")
    }

    func countHolding(for reading: FrameReading) -> Int { count { $0.holds(for: reading) } }
}

/// Why the evidence cannot decide an expectation, in words; it becomes an inconclusive result, never a pass.
struct UndecidableExpectation: Error, Hashable, Sendable {
    var reason: String

    init(_ reason: String) { self.reason = reason }
}
