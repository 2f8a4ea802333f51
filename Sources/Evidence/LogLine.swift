public import LabTime

/// One line of a node's access log, as its fields stand there.
public struct LogLine: Hashable, Sendable {
    /// In the file, from 1.
    public var number: Int
    /// When the request's answer was complete.
    public var time: Timestamp
    /// Numbers in decimal; fields without a value are absent.
    public var fields: [String: String]

    public init(number: Int, time: Timestamp, fields: [String: String]) {
        self.number = number
        self.time = time
        self.fields = fields
    }
}
