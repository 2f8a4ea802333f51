package import Wire

/// From where each of many flows asks: flow number n from the address n modulo their number, and from the port n divided
/// by it. One socket serves all flows of a port.
package struct FlowOrigins: Hashable, Sendable {
    package struct Origin: Hashable, Sendable {
        /// The number of the port among those of the program.
        package var port: Int
        /// nil for the address that the kernel chooses.
        package var source: IPv4Address?
    }

    package let flows: Int
    private let sources: [IPv4Address]

    /// - Parameter sources: nil for the address that the kernel chooses
    package init(flows: Int, sources: IPv4Network?) {
        self.flows = max(flows, 1)
        self.sources = sources.map { $0.addresses(atMost: flows) } ?? []
    }

    package var ports: Int { (flows - 1) / max(1, sources.count) + 1 }
    package var isChosenByKernel: Bool { sources.isEmpty }

    package func origin(of flow: Int) -> Origin {
        guard !sources.isEmpty else { return Origin(port: flow, source: nil) }
        return Origin(port: flow / sources.count, source: sources[flow % sources.count])
    }
}

extension IPv4Network {
    /// The addresses that hosts may have, from the first on.
    fileprivate func addresses(atMost count: Int) -> [IPv4Address] {
        let size = min(hosts.lowerBound.distance(to: hosts.upperBound) + 1, max(1, count))
        return (0..<size).map { hosts.lowerBound.advanced(by: $0) }
    }
}
