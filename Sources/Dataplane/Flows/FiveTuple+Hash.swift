public import Wire

extension FiveTuple {
    /// The hash that flow tables use: keyed, so that a stranger cannot aim five-tuples at one bucket.
    @inlinable
    func flowHash(seed: UInt64) -> UInt32 {
        let keyed = FiveTuple(
            addresses: addresses ^ seed, portsAndProtocol: portsAndProtocol ^ (seed << 32 | seed >> 32))
        return UInt32(truncatingIfNeeded: keyed.mixedHash)
    }
}
