public import Wire

extension FlowKey {
    /// The hash that flow tables use: keyed, so that a stranger cannot aim five-tuples at one bucket.
    @inlinable
    func flowHash(seed: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: keyedHash(seed: seed)) }
}
