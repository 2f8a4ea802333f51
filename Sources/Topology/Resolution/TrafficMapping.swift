import LabFile
import Measurement

/// The mapping of a traffic program in a lab file, with what its words may refer to.
struct TrafficMapping: WrittenTraffic {
    let mapping: MappingReader
    let references: ReferenceTable

    private var reader: LabReader { mapping.reader }
    private var what: String { mapping.what }

    func has(_ key: String) -> Bool { mapping[key] != nil }
    func found(_ key: String) -> String { mapping[key]?.found ?? "nothing" }
    func isMapping(_ key: String) -> Bool { mapping[key]?.entries != nil }
    func text(_ key: String) -> String? { mapping.text(key) }
    func flag(_ key: String) -> Bool? { mapping.flag(key) }
    func integer(_ key: String, in range: ClosedRange<Int>) -> Int? { mapping.integer(key, in: range) }
    func duration(_ key: String, in range: ClosedRange<Duration>) -> Duration? { mapping.duration(key, in: range) }

    func choice<T: RawRepresentable & CaseIterable>(_ key: String, as type: T.Type) -> T? where T.RawValue == String {
        mapping.choice(key, as: type)
    }

    func choices<T: RawRepresentable & CaseIterable>(_ key: String, as type: T.Type) -> [T]?
    where T.RawValue == String {
        guard let value = mapping[key] else { return nil }
        let elements = reader.list(value)
        if elements.isEmpty {
            reader.report("'\(key)' of \(what) is empty", at: value.position, allowed: T.allCases.map(\.rawValue))
        }
        var words: Set<String> = []
        let choices = elements.compactMap { element -> T? in
            guard let choice = reader.choice(element, of: "'\(key)' of \(what)", as: type) else { return nil }
            guard words.insert(choice.rawValue).inserted else {
                reader.report("'\(key)' of \(what) has \(choice.rawValue) twice", at: element.position)
                return nil
            }
            return choice
        }
        return choices.isEmpty || choices.count < elements.count ? nil : choices
    }

    func mapping(_ key: String, keys: [String]) -> TrafficMapping? {
        mapping[key].flatMap { MappingReader($0, "'\(key)' of \(what)", keys: keys, reader) }
            .map { TrafficMapping(mapping: $0, references: references) }
    }

    func integers(_ key: String, in range: ClosedRange<Int>, most: Int) -> [Int]? {
        guard let value = mapping[key] else { return nil }
        let elements = reader.list(value)
        guard (1...most).contains(elements.count) else {
            reader.report(
                "'\(key)' of \(what) has \(elements.count) numbers", at: value.position, allowed: ["1 to \(most)"])
            return nil
        }
        let numbers = elements.compactMap { reader.integer($0, of: "'\(key)' of \(what)", in: range) }
        return numbers.count == elements.count ? numbers : nil
    }

    func pattern(_ key: String) -> String? {
        mapping[key].flatMap { OutputEventReading(reader: reader).pattern($0, of: "'\(key)' of \(what)") }
    }

    func patterns(_ key: String, group: String) -> [(name: String, pattern: String)] {
        NodeDefinition.named(mapping[key], "'\(key)' of \(what)", reader).compactMap { entry in
            let own = "'\(entry.key)' of '\(key)'"
            guard NameRule.word.check(entry.key, "a value of a command", at: entry.keyPosition, reader),
                let pattern = OutputEventReading(reader: reader).pattern(entry.value, of: own)
            else { return nil }
            guard OutputEventReading.groups(of: pattern).contains(group) else {
                reader.report(
                    "the pattern of \(own) has no group '\(group)'", at: entry.value.position,
                    allowed: [#"a pattern such as 'Requests/sec: +(?<\#(group)>[\d.]+)'"#])
                return nil
            }
            return (entry.key, pattern)
        }
    }

    func command(_ key: String, replacing own: [String: String]) -> [String]? {
        guard let value = mapping[key] else { return nil }
        let elements = reader.list(value)
        let texts = elements.compactMap(\.text)
        let size = texts.reduce(0) { $0 + $1.utf8.count }
        guard let first = texts.first, !first.isEmpty, texts.count == elements.count, size <= LabLimits.commandLine,
            !texts.contains(where: { $0.utf8.contains(0) })
        else {
            reader.report(
                "'\(key)' of \(what) is \(value.found)", at: value.position,
                allowed: [
                    "a line for the shell", "a list with each word by itself",
                    "of at most \(LabLimits.commandLine) characters",
                ])
            return nil
        }
        let words = elements.map { element in
            references.resolve(text: element.text ?? "", own: own, at: element.position, reader)
        }
        if value.elements == nil { return ["/bin/sh", "-c", words[0]] }
        guard !first.contains(where: \.isWhitespace) else {
            reader.report(
                "'\(key)' of \(what) begins with '\(LabValue.shortened(first))'", at: elements[0].position,
                allowed: ["a list with each word by itself, such as [curl, -sS, http://$to/]", "a line for the shell"])
            return nil
        }
        return words
    }

    func report(_ problem: String, atKey key: String, allowed: [String]) {
        reader.report(problem, at: mapping.keyPosition(key), allowed: allowed)
    }

    func report(_ problem: String, atValueOf key: String, allowed: [String]) {
        reader.report(problem, at: mapping[key]?.position ?? mapping["to"]?.position, allowed: allowed)
    }
}
