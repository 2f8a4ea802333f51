/// Requests of several sizes: each flow takes one after the other.
enum RequestSizes {
    static let key = TrafficKey(
        "sizes", usual: "`payload`", "bytes of the requests, in turn: `[64, 1400, 9000]`; instead of `payload`")
    private static let most = 16

    /// nil where the program has one size.
    static func read(_ written: some WrittenTraffic) -> [Int]? {
        guard let sizes = written.integers(key.name, in: 32...65_000, most: most) else { return nil }
        if written.has("payload") {
            written.report("'sizes' stands in the place of 'payload'; keep one", atKey: key.name, allowed: [])
        }
        return sizes
    }
}

extension TrafficProgram {
    /// Bytes of a request of a flow.
    public func length(flow: UInt32, sequence: UInt64) -> Int {
        guard let sizes = options.sizes, !sizes.isEmpty else { return payload }
        return sizes[Int((UInt64(flow) &+ sequence) % UInt64(sizes.count))]
    }

    /// Bytes of its smallest request.
    public var leastLength: Int { options.sizes?.min() ?? payload }
}
