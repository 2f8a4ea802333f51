internal import Yams

/// Converts the parser's nodes to values with positions, expanding aliases and merge keys within bounds.
///
/// The parser keeps an alias as a shared copy of its anchor, which costs nothing; only a walk over the nodes sees
/// the expanded size. So the walk counts.
struct YAMLConversion {
    static let maximumNodes = 100_000
    static let maximumDepth = 64
    /// Bytes of all scalars: an alias to a long text costs nothing here, but is written out in a run's folder.
    static let maximumText = 4 << 20

    private var nodes = 0
    private var text = 0

    mutating func value(of node: Node, depth: Int) throws(LabFileError) -> LabValue {
        let position = SourcePosition(node.mark)
        nodes += 1
        if nodes > Self.maximumNodes {
            throw LabFileError(
                at: position,
                "the aliases expand to more than \(Self.maximumNodes) values; an alias that multiplies others is refused"
            )
        }
        if depth > Self.maximumDepth {
            throw LabFileError(at: position, "nested deeper than \(Self.maximumDepth) levels")
        }
        switch node {
        case .scalar(let scalar):
            try count(scalar.string, at: position)
            let isQuoted = scalar.style != .plain && scalar.style != .any
            return LabValue(.scalar(scalar.string, isQuoted: isQuoted), at: position)
        case .sequence(let sequence):
            var elements: [LabValue] = []
            for element in sequence { elements.append(try value(of: element, depth: depth + 1)) }
            return LabValue(.sequence(elements), at: position)
        case .mapping(let mapping):
            return LabValue(.mapping(try entries(of: mapping, depth: depth)), at: position)
        case .alias(let alias):
            throw LabFileError(at: position, "alias '\(alias.anchor.rawValue)' has no anchor before it")
        }
    }

    private mutating func count(_ scalar: String, at position: SourcePosition) throws(LabFileError) {
        text += scalar.utf8.count
        guard text > Self.maximumText else { return }
        throw LabFileError(
            at: position,
            "the aliases expand to more than \(Self.maximumText >> 20) MiB of text; an alias that multiplies a long text is refused"
        )
    }

    private mutating func entries(of mapping: Node.Mapping, depth: Int) throws(LabFileError) -> [LabEntry] {
        var entries: [LabEntry] = []
        var merged: [LabEntry] = []
        var places: [String: SourcePosition] = [:]
        for (keyNode, valueNode) in mapping {
            let position = SourcePosition(keyNode.mark)
            guard case .scalar(let scalar) = keyNode else {
                throw LabFileError(at: position, "a key is a word, not a list or a mapping")
            }
            let content = try value(of: valueNode, depth: depth + 1)
            if scalar.string == "<<", scalar.style == .plain {
                merged += try Self.merge(content)
                continue
            }
            // The parser compares tags too, so that a quoted and an unquoted key differ for it.
            if let first = places.updateValue(position, forKey: scalar.string) {
                throw LabFileError.duplicateKey(scalar.string, at: position, first: first)
            }
            try count(scalar.string, at: position)
            entries.append(LabEntry(key: scalar.string, keyPosition: position, value: content))
        }
        for entry in merged where places.updateValue(entry.keyPosition, forKey: entry.key) == nil {
            entries.append(entry)
        }
        return entries
    }

    /// What `<<: *anchor` or `<<: [*one, *two]` brings in; the first of two equal keys wins.
    private static func merge(_ value: LabValue) throws(LabFileError) -> [LabEntry] {
        var entries: [LabEntry] = []
        for part in value.elements ?? [value] {
            guard let more = part.entries else {
                throw LabFileError(at: part.position, "'<<' merges mappings, not \(part.found)")
            }
            entries += more
        }
        return entries
    }
}

extension LabFileError {
    static func duplicateKey(_ key: String, at position: SourcePosition, first: SourcePosition?) -> LabFileError {
        LabFileError(
            at: position,
            "key '\(LabValue.shortened(key))' is given twice in one mapping"
                + (first.map { "; the first is in line \($0.line)" } ?? ""))
    }
}

extension SourcePosition {
    /// The parser counts from 1 as well.
    init(_ mark: Mark?) {
        self.init(line: max(1, mark?.line ?? 1), column: max(1, mark?.column ?? 1))
    }
}
