internal import ArgumentParser
internal import Topology

/// `--seed N`
struct SeedOption: ParsableArguments {
    @Option(
        help: "Of everything by chance, instead of the lab file's seeds: the same seed and frames, the same faults.")
    var seed: Int?

    func validate() throws {
        if let seed, !(0...Int(Int32.max)).contains(seed) {
            throw ValidationError("--seed takes a whole number from 0 to \(Int32.max)")
        }
    }

    /// Where a seed was given that decides nothing, a person should know.
    func tell(of variants: [Variant]) {
        guard let seed, !variants.contains(where: \.isByChance) else { return }
        Console.complain("Nothing in this lab is by chance: --seed \(seed) changes nothing.")
    }
}
