internal import Foundation

/// One JSON value per line: the form of messages between the lab's processes, and of files in the run folder.
enum JSONLine {
    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(value))
        } catch {
            // Every message is a value type of strings, integers and finite numbers: it always has a JSON form.
            preconditionFailure("a message that JSON cannot carry: \(value): \(error)")
        }
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from line: [UInt8]) throws -> Value {
        try JSONDecoder().decode(type, from: Data(line))
    }
}
