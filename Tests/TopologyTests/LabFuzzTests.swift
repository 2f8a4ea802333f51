import Foundation
import LabFile
import TestSupport
import Testing

@testable import Topology

/// Lab files with values, keys and parts of them in the wrong place. What the reader accepts must read back to the same
/// lab; what it does not must be told; nothing may trap or take long.
@Suite struct `Damaged lab files` {
    private static let hostile = [
        "", "0", "-1", "1", "64", "65535", "65536", "99999999999999999999", "-9223372036854775808",
        "9223372036854775807", "1e300",
        "NaN", "0x10", "1.5s", "0s", "100d", "9999999h", "0.0000000000000000001s", "on", "off", "none", "any",
        "default",
        "0.0.0.0", "255.255.255.255", "0.0.0.0/0", "10.0.0.0/31", "224.0.0.1", "127.0.0.1", "::", "::/0", "fe80::1",
        "2001:db8::/127", "ff02::1", "[2001:db8::1]:80", "10.0.0.1:0", "10.0.0.1:80/sctp", ":80", "a:b:c", "client",
        "fw-a",
        "lb/web", "lb/web.address", "fw-a.inside.ip", "lb.inside.mac", ".mac", "a.b.c.d.mac", "\u{1b}[31m", "ü",
        "\u{202e}x",
        "a b", "$folder", "../x", "/dev/zero", "02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff", "> 3", "< 1%", "101%", "0%",
        "-5%",
        "failover + 1s", "failover - 100h", "{", "x-", "<<", "tcp", "udp", "echo", "http",
        String(repeating: "a", count: 300),
    ]

    private struct Damage {
        var random: SeededGenerator
        let parts: [LabValue]
        /// Keys of all labs.
        let keys: [String]

        mutating func scalar() -> LabValue {
            LabValue(.scalar(hostile.randomElement(using: &random)!, isQuoted: Bool.random(using: &random)), at: place)
        }

        private let place = SourcePosition(line: 1, column: 1)

        init(seed: UInt64, labs: [LabValue]) {
            random = SeededGenerator(seed: seed)
            var (parts, keys): ([LabValue], Set<String>) = ([], [])
            func walk(_ value: LabValue) {
                parts.append(value)
                for element in value.elements ?? [] { walk(element) }
                for entry in value.entries ?? [] {
                    keys.insert(entry.key)
                    walk(entry.value)
                }
            }
            for lab in labs { walk(lab) }
            self.parts = parts.filter { $0.count < 200 }
            self.keys = keys.sorted()
        }

        /// One change somewhere in a value.
        mutating func damaged(_ value: LabValue) -> LabValue {
            // Deep places are many: the way down is taken more often than the change here.
            if case .mapping(var entries) = value.content, !entries.isEmpty, Int.random(in: 0..<5, using: &random) > 0 {
                let index = entries.indices.randomElement(using: &random)!
                switch Int.random(in: 0..<12, using: &random) {
                case 0: entries.remove(at: index)
                case 1: entries[index].key = keys.randomElement(using: &random)!
                case 2:
                    entries.append(
                        LabEntry(key: keys.randomElement(using: &random)!, keyPosition: place, value: part()))
                case 3:
                    entries.append(
                        LabEntry(key: hostile.randomElement(using: &random)!, keyPosition: place, value: scalar()))
                default: entries[index].value = damaged(entries[index].value)
                }
                // A parser never gives a key twice.
                var seen = Set<String>()
                return LabValue(.mapping(entries.filter { seen.insert($0.key).inserted }), at: value.position)
            }
            if case .sequence(var elements) = value.content, !elements.isEmpty,
                Int.random(in: 0..<5, using: &random) > 0
            {
                let index = elements.indices.randomElement(using: &random)!
                switch Int.random(in: 0..<8, using: &random) {
                case 0: elements.remove(at: index)
                case 1: elements.append(elements[index])
                case 2: elements.insert(part(), at: index)
                default: elements[index] = damaged(elements[index])
                }
                return LabValue(.sequence(elements), at: value.position)
            }
            return Bool.random(using: &random) ? scalar() : part()
        }

        private mutating func part() -> LabValue { parts.randomElement(using: &random)! }
    }

    private static func labs() throws -> [LabDocument] {
        try [LabDocument(parsing: SmallLab.text, path: "small")]
            + LabCatalogue(folder: Package.root + "/Labs").entries.map { try LabDocument(path: $0.path) }
    }

    /// The first variant alone, so that a try takes a millisecond.
    private static func single(_ document: LabDocument) throws -> LabDocument {
        let lab = try Lab(document)
        return try LabDocument(parsing: lab.variants[0].resolvedYAML, path: document.source.path)
    }

    /// A longer search: `FAILOVERLAB_FUZZ_SECONDS=600 FAILOVERLAB_FUZZ_SEED=7`
    @Test func `are refused with a reason, or read back to what was read, and never trap`() throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["FAILOVERLAB_FUZZ_SEED"].flatMap { UInt64($0) } ?? 2611
        let seconds = environment["FAILOVERLAB_FUZZ_SECONDS"].flatMap { Int($0) }
        let documents = try Self.labs().map(Self.single)
        var (tries, accepted) = (0, 0)
        let start = ContinuousClock.now
        print("fuzzing lab files with seed \(seed)")
        var round = seed
        while true {
            // Bounded by their number, so that the same are tried everywhere, and by time, on a slow machine.
            let elapsed = ContinuousClock.now - start
            if seconds.map({ elapsed > .seconds($0) }) ?? (tries >= 1500 || elapsed > .seconds(20)) { break }
            round &+= 1
            var damage = Damage(seed: round, labs: documents.map(\.root))
            for document in documents {
                var document = document
                for _ in 0...Int.random(in: 0..<3, using: &damage.random) {
                    document.root = damage.damaged(document.root)
                }
                tries += 1
                let begin = ContinuousClock.now
                do {
                    let lab = try Lab(document)
                    accepted += 1
                    for variant in lab.variants {
                        let again = try Lab(parsing: variant.resolvedYAML, path: "again")
                        #expect(again.variants.first?.nodes == variant.nodes, "seed \(round): \(document.root.yaml)")
                    }
                } catch {
                    #expect(
                        error.source.path != "again" && error.errors.allSatisfy { !$0.problem.isEmpty },
                        "seed \(round): \(error.errors.map(\.message)): \(document.root.yaml)")
                }
                // A second at most on an idle machine.
                #expect(ContinuousClock.now - begin < .seconds(60), "seed \(round)")
            }
        }
        print("\(tries) lab files, \(accepted) accepted")
        #expect(tries > 100 && accepted > 0 && accepted < tries)
    }
}
