import Impairment
import LabFile
import Testing

@testable import Topology

@Suite struct `The seed of a lab` {
    private static func text(_ top: String = "", fault: String = "", change: String = "") -> String {
        SmallLab.replacing(
            "scenario:\n",
            "\(top)faults:\n  lossy: { on: lb.servers, do: { loss: 5% }\(fault) }\n  cut: { on: lb.inside, do: drop }\nscenario:\n"
        )
            + "\nvariants:\n  plain: { shows: control }\n  changed: { shows: control, change: { timers: quick\(change) } }\n"
    }

    private func lab(_ text: String, seed: Int? = nil) throws -> Lab {
        try Lab(parsing: text, path: "lab.yaml", seed: seed)
    }

    private func seeds(_ variant: Variant) -> [UInt64] { variant.elements.flatMap { $0.rules.map(\.seed) } }

    @Test func `is 1 where nothing else is said, and is written down where something is by chance`() throws {
        let variant = try lab(Self.text()).variants[0]
        #expect(variant.isByChance)
        #expect(seeds(variant) == [1, 1])
        #expect(variant.seed == 1)
        #expect(variant.resolvedYAML.contains("\nseed: 1\n"))
    }

    @Test func `is absent where nothing is by chance`() throws {
        let variant = try lab(SmallLab.text).variants[0]
        #expect(!variant.isByChance)
        #expect(variant.seed == nil)
        #expect(!variant.resolvedYAML.contains("seed"))
    }

    @Test func `counts for all faults that have none of their own, and a variant may change it`() throws {
        let lab = try lab(Self.text("seed: 7\n", fault: ", seed: 3", change: ", seed: 9"))
        #expect(seeds(lab.variants[0]) == [3, 7])
        #expect(seeds(lab.variants[1]) == [3, 9])
        #expect(lab.variants.map(\.seed) == [7, 9])
    }

    @Test func `that a person gives counts for everything, and the resolved file replays it`() throws {
        let lab = try lab(Self.text("seed: 7\n", fault: ", seed: 3", change: ", seed: 9"), seed: 42)
        for variant in lab.variants {
            #expect(variant.seed == 42)
            #expect(seeds(variant) == [42, 42])
            let again = try Lab(parsing: variant.resolvedYAML, path: "lab.yaml").variants[0]
            #expect(again.elements == variant.elements)
            #expect(again.seed == 42)
        }
    }

    @Test(arguments: [
        ("{ loss: 5% }", true), ("drop", false), ("{ delay: 5ms }", false),
        ("{ delay: { uniform: { from: 1ms, to: 2ms } } }", true), ("corrupt", true),
        ("{ corrupt: { part: payload, byte: 0, bit: 1 } }", false), ("hold", false), ("{ reorder: 2 }", false),
    ])
    func `matters only to what is by chance`(action: String, isByChance: Bool) throws {
        let text = SmallLab.replacing("scenario:\n", "faults:\n  late: { on: lb.servers, do: \(action) }\nscenario:\n")
        #expect(try lab(text).variants[0].isByChance == isByChance)
    }

    @Test func `is a whole number`() {
        #expect(throws: LabFileErrors.self) { try lab(Self.text("seed: many\n")) }
    }
}
