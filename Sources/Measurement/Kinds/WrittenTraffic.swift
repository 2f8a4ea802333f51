public import Wire

/// A key of a traffic program in a lab file.
public struct TrafficKey: Hashable, Sendable {
    public var name: String
    /// What holds where the file does not have it, for the reference.
    public var usual: String
    /// What its value is, for the reference.
    public var summary: String

    public init(_ name: String, usual: String, _ summary: String) {
        self.name = name
        self.usual = usual
        self.summary = summary
    }
}

/// The mapping of a traffic program in a lab file, as its kind reads it. What is wrong with a value is reported; the
/// value is then nil, as it is where the key is missing.
public protocol WrittenTraffic {
    func has(_ key: String) -> Bool
    /// The value as messages have it: `'/x'`.
    func found(_ key: String) -> String
    func text(_ key: String) -> String?
    func flag(_ key: String) -> Bool?
    func integer(_ key: String, in range: ClosedRange<Int>) -> Int?
    func duration(_ key: String, in range: ClosedRange<Duration>) -> Duration?
    /// A whole number, or a list of at most so many.
    func integers(_ key: String, in range: ClosedRange<Int>, most: Int) -> [Int]?
    func isMapping(_ key: String) -> Bool
    /// A regular expression.
    func pattern(_ key: String) -> String?
    /// Names, each with a regular expression that has this group.
    func patterns(_ key: String, group: String) -> [(name: String, pattern: String)]
    /// The words of a command, with references and the program's own words in the place of `$word`; a line is one for
    /// the shell.
    func command(_ key: String, replacing own: [String: String]) -> [String]?
    /// The mapping below a key, which has no keys but these.
    func mapping(_ key: String, keys: [String]) -> Self?
    func choice<T: RawRepresentable & CaseIterable>(_ key: String, as type: T.Type) -> T? where T.RawValue == String
    /// A word, or a list of words of which each is there once.
    func choices<T: RawRepresentable & CaseIterable>(_ key: String, as type: T.Type) -> [T]? where T.RawValue == String
    func report(_ problem: String, atKey key: String, allowed: [String])
    /// At the value; of a key that the file does not have, at the program's target.
    func report(_ problem: String, atValueOf key: String, allowed: [String])
}

extension WrittenTraffic {
    func report(_ problem: String, atValueOf key: String) { report(problem, atValueOf: key, allowed: []) }
}

/// What is known of a program while its kind reads its keys.
public struct WrittenProgram: Hashable, Sendable {
    /// The node on which it runs; empty where the file has none.
    public var from: String
    /// The networks on the loopback of that node.
    public var loopbackNetworks: [IPv4Network]
    public var flows: Int
    public var every: Duration

    public init(from: String, loopbackNetworks: [IPv4Network], flows: Int, every: Duration) {
        self.from = from
        self.loopbackNetworks = loopbackNetworks
        self.flows = flows
        self.every = every
    }
}
