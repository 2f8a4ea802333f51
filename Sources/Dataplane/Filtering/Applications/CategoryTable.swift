/// Categories of names: each a list of domains, which stand for themselves and everything below them.
///
/// Categories have numbers from 1 in their order, which cross to the peer: both boxes of a pair need the same table.
public struct CategoryTable: Sendable {
    private struct Entry: Sendable {
        var domain: [UInt8]
        var category: UInt16
    }

    /// In order of their numbers, from 1.
    public let names: [String]
    private var entries: [UInt64: [Entry]] = [:]

    public init(_ categories: [(name: String, domains: [String])] = []) {
        names = categories.map(\.name)
        for (index, category) in categories.enumerated() {
            for domain in category.domains {
                let bytes = domain.lowercased().utf8.map { $0 }
                var hash = Self.seed
                for byte in bytes.reversed() { hash = Self.step(hash, byte) }
                entries[hash, default: []].append(Entry(domain: bytes, category: UInt16(index + 1)))
            }
        }
    }

    public var isEmpty: Bool { entries.isEmpty }

    /// The category of the longest domain that the name is in; 0 for none.
    /// - Parameter name: in lower case, with dots
    /// - Complexity: linear in the name, no allocation
    public func category(of name: UnsafeRawBufferPointer) -> UInt16 {
        if entries.isEmpty || name.isEmpty { return 0 }
        var hash = Self.seed
        var found: UInt16 = 0
        var start = name.count
        // From the end, so that each domain's hash continues the one of the domain above.
        while start > 0 {
            start -= 1
            hash = Self.step(hash, name[start])
            guard start == 0 || name[start - 1] == 0x2e, let candidates = entries[hash] else { continue }
            for candidate in candidates where candidate.domain.elementsEqual(name[start...]) {
                found = candidate.category
            }
        }
        return found
    }

    // FNV-1a; a collision costs a comparison.
    private static var seed: UInt64 { 0xcbf2_9ce4_8422_2325 }
    private static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
}
