/// Which counters a node has: its parts, and what the lab calls its services, members and rules.
public struct CounterScope: Sendable {
    private var words: [CounterPlace: [CounterWords]] = [:]

    /// - Parameter places: those whose counters have no words in angle brackets
    public init(_ places: CounterPlace...) {
        for place in places { words[place] = [[:]] }
    }

    /// Adds a part; a word in angle brackets without a value stays open, so that any text fits it.
    public mutating func add(_ place: CounterPlace, _ more: [CounterWords] = [[:]]) {
        words[place, default: []] += more
    }

    public mutating func add(_ other: CounterScope) {
        for (place, more) in other.words { add(place, more) }
    }

    /// The counters of the node, as declared.
    public var counters: [Counter] { Counter.allCases.filter { words[$0.place] != nil } }

    /// Every name, in the order of declaration; words that are open stay in angle brackets.
    public var names: [String] {
        counters.flatMap { counter in (words[counter.place] ?? []).map { counter.name($0) } }
    }

    /// Whether the node has a counter of that name.
    public func contains(_ name: String) -> Bool { names.contains { Self.fits(name, $0) } }

    /// - Parameter pattern: a name, in which a word in angle brackets stands for at least one letter, digit or hyphen;
    ///   of programs, also for what else their names have
    static func fits(_ name: String, _ pattern: String) -> Bool {
        guard let begin = pattern.firstIndex(of: "<"), let end = pattern.lastIndex(of: ">") else {
            return name == pattern
        }
        let (before, after) = (pattern[..<begin], pattern[pattern.index(after: end)...])
        guard name.hasPrefix(before), name.hasSuffix(after), name.count > before.count + after.count else {
            return false
        }
        let marks = before.hasSuffix("/") ? "-._:" : "-"
        return name.dropFirst(before.count).dropLast(after.count).allSatisfy {
            $0.isASCII && ($0.isLetter || $0.isNumber || marks.contains($0))
        }
    }
}

extension CounterScope {
    /// A host's kernel.
    public static var kernel: CounterScope {
        var scope = CounterScope()
        scope.add(.kernel, Counter.kernelGroups.map { [.group: $0] })
        return scope
    }
}
