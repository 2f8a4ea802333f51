import Glibc
import LabFile
import TestSupport
import Testing

@testable import Topology

/// Damages a lab file in ways that an editor, a merge or a disk would.
private struct Damage {
    var generator: SeededGenerator

    mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            let length = min(Int.random(in: 1...40, using: &generator), bytes.count - place)
            switch Int.random(in: 0..<7, using: &generator) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.remove(at: place)
            case 2: bytes.removeSubrange(place..<place + length)
            case 3:
                bytes.insert(
                    contentsOf: bytes[place..<place + length], at: Int.random(in: 0...bytes.count, using: &generator))
            case 4: bytes.insert(Array("&*[]{}:?-#'\"|>!%@,~ \n\t0".utf8).randomElement(using: &generator)!, at: place)
            case 5: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &generator))
            default:
                let words = [
                    "null", "{}", "[]", "-1", "99999999999999999999", "*symptom", "<<", "fw-a", "off", "\"\"", "0s",
                    "lb/web", "é",
                ]
                bytes.insert(contentsOf: Array(words.randomElement(using: &generator)!.utf8), at: place)
            }
            if bytes.isEmpty { bytes = [0x61] }
        }
        return bytes
    }
}

@Suite struct `A damaged lab file` {
    /// Every failure prints the seed with which it replays.
    @Test(arguments: [UInt64](1...6))
    func `is resolved or refused with a place, never more`(seed: UInt64) throws {
        let original = Array(try LabSource(reading: LabFiles.fastPath).text.utf8)
        var damage = Damage(generator: SeededGenerator(seed: seed))
        for round in 0..<60 {
            let bytes = damage.damaged(original)
            guard let text = String(validating: bytes, as: UTF8.self) else { continue }
            do {
                let lab = try Lab(parsing: text, path: "lab.yaml")
                for variant in lab.variants {
                    let again = try Lab(parsing: variant.resolvedYAML, path: "resolved.yaml")
                    #expect(again.variants == [variant], "seed \(seed), round \(round)")
                    _ = Plan(for: variant).steps
                }
            } catch {
                #expect(
                    !error.errors.isEmpty && error.errors.count <= LabFileErrors.limit, "seed \(seed), round \(round)")
                #expect("\(error)".contains("lab.yaml"), "seed \(seed), round \(round)")
            }
        }
    }
}
