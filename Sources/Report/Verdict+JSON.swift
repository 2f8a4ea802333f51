public import FoundationEssentials

extension Verdict {
    /// The text of `verdict.json`: keys in the order of the alphabet, so that two runs can be compared line by line.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return VisibleText.json(String(decoding: try encoder.encode(self), as: UTF8.self)) + "\n"
    }

    /// Reads a `verdict.json` of this schema or of one that only added fields.
    /// - Throws: `VerdictError`, or a `DecodingError` that names the field
    public init(json: Data) throws {
        struct Schema: Decodable { var schema: Int }
        let decoder = JSONDecoder()
        let schema = try decoder.decode(Schema.self, from: json).schema
        guard schema == Self.currentSchema else { throw VerdictError.unknownSchema(schema) }
        self = try decoder.decode(Verdict.self, from: json)
    }

    public init(json: String) throws { try self.init(json: Data(json.utf8)) }
}

public enum VerdictError: Error, Hashable, Sendable, CustomStringConvertible {
    case unknownSchema(Int)

    public var description: String {
        switch self {
        case .unknownSchema(let schema):
            "this verdict has schema \(schema); this failoverlab reads schema \(Verdict.currentSchema): use the version that wrote it"
        }
    }
}
