internal import ArgumentParser
internal import Topology

/// `--seed N`
struct SeedOption: ParsableArguments {
    @Option(
        help: "Seed of all random faults, instead of the lab file's: the same seed and frames give the same faults.")
    var seed: Int?

    func validate() throws {
        if let seed, !(0...Int(Int32.max)).contains(seed) {
            throw ValidationError("--seed takes a whole number from 0 to \(Int32.max)")
        }
    }

    /// Warns of a seed that has no effect.
    func complain(about variants: [Variant]) {
        guard let seed, !variants.contains(where: \.isByChance) else { return }
        Console.complain("Nothing in this lab is random: --seed \(seed) changes nothing.")
    }
}
