public import LabTime

/// Records that a file of the run left out because of its limit: those before and after them are there.
public struct RecordGap: Hashable, Sendable, Codable {
    /// Of the first that is missing.
    public var from: Timestamp
    /// Of the last.
    public var to: Timestamp
    public var count: Int

    public init(from: Timestamp, to: Timestamp, count: Int) {
        self.from = from
        self.to = to
        self.count = count
    }
}

/// What is missing in a file of the run because of its limit.
public struct FileGap: Hashable, Sendable, Codable {
    /// Relative to the variant's folder: `logs/lb.bird.log`.
    public var path: String
    /// Bytes of the file before it.
    public var offset: Int
    /// Bytes and lines that are missing.
    public var bytes: Int
    public var lines: Int

    public init(path: String, offset: Int, bytes: Int, lines: Int) {
        self.path = path
        self.offset = offset
        self.bytes = bytes
        self.lines = lines
    }
}

extension LabEvent {
    private static let leftOutName = "lab.left-out"

    /// The line of `events.jsonl` that stands for events which are missing there.
    public init(leftOut gap: RecordGap) {
        self.init(
            name: Self.leftOutName, time: gap.from, kind: "left-out", node: nil,
            details: ["to": gap.to.description, "events": "\(gap.count)"])
    }

    /// What this line stands for; nil of an event.
    public var leftOut: RecordGap? {
        guard name == Self.leftOutName, node == nil, let to = details["to"].flatMap({ Timestamp($0) }),
            let count = details["events"].flatMap({ Int($0) })
        else { return nil }
        return RecordGap(from: time, to: max(time, to), count: count)
    }
}
