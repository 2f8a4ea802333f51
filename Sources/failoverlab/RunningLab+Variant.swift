internal import LabRuntime
internal import Topology

extension RunningLab {
    /// What the lab was built from, as its run's folder has it.
    func variantAsBuilt() throws -> Variant {
        let lab = try LabArgument.load(RunFolder(status().folder).lab)
        return try VariantSelection.variant(nil, of: lab)
    }
}
