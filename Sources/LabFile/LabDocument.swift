internal import Yams

/// A lab file as written: one YAML document whose top is a mapping.
public struct LabDocument: Sendable {
    public var source: LabSource
    public var root: LabValue

    /// Bytes of a lab file; more than a thousand times what a large lab needs.
    public static let maximumSize = 1 << 20

    /// Parses YAML 1.1 with anchors, aliases and merge keys, all expanded.
    ///
    /// Time and memory stay within bounds for any input: nesting and the size after expansion are limited.
    public init(parsing text: String, path: String) throws(LabFileErrors) {
        try self.init(LabSource(path: path, text: text))
    }

    public init(_ source: LabSource) throws(LabFileErrors) {
        var source = source
        source.text.makeContiguousUTF8()
        let text = source.text
        do {
            try YAMLGuard.check(text)
            root = try Self.compose(text)
        } catch {
            throw LabFileErrors([error], in: source)
        }
        self.source = source
    }

    private static func compose(_ text: String) throws(LabFileError) -> LabValue {
        let node: Node?
        do {
            // Named encoding: the default looks into the environment and may print.
            node = try Yams.compose(yaml: text, .default, .default, .utf8)
        } catch let error as YamlError {
            throw LabFileError(error, text: text)
        } catch {
            throw LabFileError(at: nil, "cannot be read as YAML: \(error)")
        }
        guard let node else { throw empty }
        var conversion = YAMLConversion()
        let root = try conversion.value(of: node, depth: 0)
        if root.isNull { throw empty }
        guard root.entries != nil else {
            throw LabFileError(
                at: root.position, "a lab file is a mapping of keys to values, not \(root.found)",
                allowed: ["schema: 1, followed by name, networks, nodes, …"])
        }
        return root
    }

    private static var empty: LabFileError {
        LabFileError(at: nil, "the file is empty; a lab file has at least schema, name, networks and nodes")
    }
}
