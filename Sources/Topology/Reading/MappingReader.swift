import LabFile

/// A mapping of a lab file whose keys are known.
struct MappingReader {
    /// How messages call it, with its article: `an interface`.
    let what: String
    let value: LabValue
    let reader: LabReader

    /// nil, and reported, where the value is no mapping; unknown keys are reported and otherwise passed over.
    /// - Parameter anchors: keys with this prefix are allowed too, and messages do not list them
    init?(_ value: LabValue, _ what: String, keys: [String], anchors: String? = nil, _ reader: LabReader) {
        guard let entries = value.entries else {
            reader.report(
                "\(what) is \(value.found)", at: value.position,
                allowed: ["a mapping with " + keys.joined(separator: ", ")])
            return nil
        }
        for entry in entries
        where !keys.contains(entry.key) && !(anchors.map { entry.key.hasPrefix($0) } ?? false) {
            reader.reportUnknown(
                entry.key, "unknown key '\(LabValue.shortened(entry.key))' of \(what)", at: entry.keyPosition,
                allowed: keys)
        }
        self.what = what
        self.value = value
        self.reader = reader
    }

    var position: SourcePosition { value.position }

    /// nil where the key is missing or says nothing.
    subscript(key: String) -> LabValue? {
        value[key].flatMap { $0.isNull ? nil : $0 }
    }

    /// Where the key stands; where the mapping begins, if it is missing.
    func keyPosition(_ key: String) -> SourcePosition {
        value.entries?.first { $0.key == key }?.keyPosition ?? value.position
    }

    /// nil, and reported, where the key is missing.
    func required(_ key: String) -> LabValue? {
        if let found = self[key] { return found }
        reader.report("\(what) needs the key '\(key)'", at: keyPosition(key))
        return nil
    }

    func text(_ key: String) -> String? { self[key].flatMap { reader.text($0, of: "'\(key)' of \(what)") } }

    func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        self[key].flatMap { reader.integer($0, of: "'\(key)' of \(what)", in: range) }
    }

    func flag(_ key: String) -> Bool? { self[key].flatMap { reader.flag($0, of: "'\(key)' of \(what)") } }

    func choice<T: RawRepresentable & CaseIterable>(_ key: String, as type: T.Type = T.self) -> T?
    where T.RawValue == String {
        self[key].flatMap { reader.choice($0, of: "'\(key)' of \(what)", as: type) }
    }

    func duration(_ key: String, in range: ClosedRange<Duration>) -> Duration? {
        self[key].flatMap { reader.duration($0, of: "'\(key)' of \(what)", in: range) }
    }
}

/// A value and where it was written.
struct Located<Value> {
    var value: Value
    var position: SourcePosition
}
