package import Measurement

/// Flows that are listed one by one in the result, and the sums of the others: those that failed come first, then those
/// that were disturbed.
package struct FlowListing {
    package static let most = 1000

    private var failed: [FlowResult] = []
    private var disturbed: [FlowResult] = []
    private var others = FurtherFlows()

    package init() {}

    package mutating func add(_ result: FlowResult) {
        if result.outcome != .survived, failed.count < Self.most {
            failed.append(result)
        } else if result.isDisturbed, disturbed.count < Self.most {
            disturbed.append(result)
        } else {
            others.add(result)
        }
    }

    /// The listed flows, and the others where there are any.
    package var outcome: (listed: [FlowResult], further: FurtherFlows?) {
        let room = Self.most - failed.count
        var others = others
        for result in disturbed.dropFirst(room) { others.add(result) }
        return (failed + disturbed.prefix(room), others.count > 0 ? others : nil)
    }
}

extension FlowResult {
    fileprivate var isDisturbed: Bool {
        outcome != .survived || lost > 0 || duplicated > 0 || reordered > 0 || garbage > 0
    }
}
