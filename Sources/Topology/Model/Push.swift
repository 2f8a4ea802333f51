public import Configuration

/// A change of what firewalls let through, while traffic passes.
public struct Push: Hashable, Sendable, Codable {
    public enum Mode: String, Hashable, Sendable, Codable, CaseIterable {
        /// Box by box in the order that the lab gives, whatever becomes of the others.
        case boxes
        /// To a pair as to one: additions to the standby first, deletions to the Active first; to both or to none.
        case unit
        /// To a pair, whose boxes compare what they were given before either activates it.
        case agreement
    }

    public struct Part: Hashable, Sendable, Codable {
        public var node: String
        /// The change's name in the lab.
        public var name: String
        public var change: PolicyChange
    }

    public var mode: Mode
    /// In the order in which the boxes are told.
    public var parts: [Part]
}

extension Push: CustomStringConvertible {
    /// `push allow-web to fw-b, fw-a as unit`
    public var description: String {
        let names = Set(parts.map(\.name))
        let what =
            names.count == 1
            ? "\(parts[0].name) to \(parts.map(\.node).joined(separator: ", "))"
            : parts.map { "\($0.name) to \($0.node)" }.joined(separator: ", ")
        return "push \(what)" + (mode == .boxes ? "" : " as \(mode.rawValue)")
    }
}
