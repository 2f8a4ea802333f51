internal import EventLoop
internal import Evidence
internal import Foundation
internal import LabTime

/// The line of a bounded file that stands for what is missing there.
enum LeftOutLine {
    /// `--- failoverlab left out 559939584 bytes here: a log keeps its first 4 MiB and its newest 4 MiB ---`
    static func ofLog(_ gap: BoundedFile.Gap) -> [UInt8] {
        let bounds = FileBounds.log
        return Array(
            "--- failoverlab left out \(gap.bytes) bytes here: a log keeps its first \(bounds.first >> 20) MiB and its newest \(bounds.newest >> 20) MiB ---\n"
                .utf8)
    }

    /// An event of `events.jsonl`.
    static func ofEvents(_ gap: BoundedFile.Gap) -> [UInt8] {
        func time(_ line: [UInt8]) -> Timestamp? { (try? JSONLine.decode(LabEvent.self, from: line))?.time }
        let from = time(gap.first) ?? .now()
        let missing = RecordGap(from: from, to: time(gap.last) ?? from, count: gap.lines)
        return JSONLine.encode(LabEvent(leftOut: missing)) + [UInt8(ascii: "\n")]
    }

    /// `{"leftOut":{"count":1234,"from":"…","to":"…"}}` in an access log.
    static func ofRequests(_ gap: BoundedFile.Gap) -> [UInt8] {
        struct Line: Decodable { var time: Timestamp }
        func time(_ line: [UInt8]) -> Timestamp? { (try? JSONLine.decode(Line.self, from: line))?.time }
        let from = time(gap.first) ?? .now()
        let missing = RecordGap(from: from, to: time(gap.last) ?? from, count: gap.lines)
        return JSONLine.encode(LeftOutRequests(leftOut: missing)) + [UInt8(ascii: "\n")]
    }
}

/// The line of an access log that stands for requests which are missing there.
struct LeftOutRequests: Codable {
    var leftOut: RecordGap
}
