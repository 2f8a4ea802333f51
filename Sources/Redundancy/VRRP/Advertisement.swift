import LabTime
public import Wire

/// What an advertisement says, once its packet was found valid.
public struct Advertisement: Hashable, Sendable {
    /// 0 where the sender resigns.
    public var priority: UInt8
    /// Max Advertise Interval of the sender.
    public var interval: Duration
    /// The sender's own address on the link, which decides between equal priorities.
    public var source: IPv4Address

    public init(priority: UInt8, interval: Duration, source: IPv4Address) {
        self.priority = priority
        self.interval = interval
        self.source = source
    }
}
