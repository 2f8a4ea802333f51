public import Wire

/// Where two configurations that should be one are not.
public enum ConfigurationDifference: Hashable, Sendable {
    /// The peer does not have it.
    case onlyHere(ConfigurationItem)
    /// Only the peer has it.
    case onlyThere(ConfigurationItem)
    /// Both have it, with different content.
    case content(ConfigurationItem)

    /// - Complexity: O(n) in the items of both
    public static func between(_ here: [ConfigurationItem], _ there: [ConfigurationItem]) -> [ConfigurationDifference] {
        struct Key: Hashable {
            var kind: UInt8
            var name: String
        }
        let theirs = Dictionary(there.map { (Key(kind: $0.kind, name: $0.name), $0) }) { first, _ in first }
        let ours = Set(here.map { Key(kind: $0.kind, name: $0.name) })
        let fromHere = here.compactMap { item -> ConfigurationDifference? in
            guard let other = theirs[Key(kind: item.kind, name: item.name)] else { return .onlyHere(item) }
            return other.digest == item.digest ? nil : .content(item)
        }
        return fromHere
            + there.filter { !ours.contains(Key(kind: $0.kind, name: $0.name)) }.map { .onlyThere($0) }
    }
}

/// FNV-1a, 64 bits: tells two configurations of honest boxes apart. It is no defence against a forger; the
/// cross-connect's authentication is.
public struct ConfigurationDigest {
    public private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    public init() {}

    public mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        // Keeps "a", "b" and "ab" apart.
        value = (value ^ 0xff) &* 0x0000_0100_0000_01b3
    }

    public mutating func add(_ text: String) { add(text.utf8) }

    public mutating func add(_ number: UInt64) { add((0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }) }

    /// Of a whole configuration; the order of its items counts.
    public static func of(_ items: [ConfigurationItem]) -> UInt64 {
        var digest = ConfigurationDigest()
        for item in items {
            digest.add(UInt64(item.kind))
            digest.add(item.name)
            digest.add(item.digest)
        }
        // 0 is "none" on the wire.
        return digest.value == 0 ? 1 : digest.value
    }
}
