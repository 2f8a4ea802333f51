public import LabTime

/// An interval in which a process of the lab was ready to run and the machine did not let it: it got
/// no processor, or the kernel kept it waiting. What a lab shows in such an interval proves nothing about its boxes.
public struct ProcessDelay: Hashable, Sendable, Codable {
    /// A node, or `supervisor`.
    public var process: String
    public var from: Timestamp
    public var to: Timestamp
    /// How long it was kept waiting within that interval.
    public var milliseconds: Double

    public init(process: String, from: Timestamp, to: Timestamp, milliseconds: Double) {
        self.process = process
        self.from = from
        self.to = to
        self.milliseconds = milliseconds
    }
}
