internal import LabEvents
public import LabTime

/// A time in which events of a node's kernel may be missing.
public struct KernelGap: Hashable, Sendable {
    public var node: String
    public var from: Timestamp
    public var to: Timestamp
    /// `limit` or `overrun`
    public var reason: String
}

extension RunEvidence {
    /// When events of that name may be missing, as its node has reported; none of an event that is no kernel's.
    public func kernelGaps(of name: String) -> [KernelGap] {
        events.compactMap { event in
            guard event.isOf(.kernelEventsLost), let node = event.node, let what = event[.what],
                what.split(separator: ", ").contains(where: { "\(node).\($0)" == name })
            else { return nil }
            let to = event[.to].flatMap { Timestamp($0) } ?? event.time
            return KernelGap(node: node, from: event.time, to: max(event.time, to), reason: event[.reason] ?? "")
        }
    }
}
