internal import Evidence
internal import Foundation
internal import LabTime

/// Reads `logs/<node>.access.jsonl` of a run's folder.
enum AccessLogReading {
    private static let suffix = RunFolder.requestsSuffix

    /// Access logs, and what is missing in them, by node.
    /// - Throws: `LabFailure` that names the line which is damaged
    static func logs(
        in folder: RunFolder
    ) throws(LabFailure) -> (lines: [String: [LogLine]], gaps: [String: RecordGap]) {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.logs)) ?? []
        var (logs, gaps): ([String: [LogLine]], [String: RecordGap]) = ([:], [:])
        for file in files where file.hasSuffix(suffix) {
            let path = folder.logs + "/" + file
            let node = String(file.dropLast(suffix.count))
            var lines: [LogLine] = []
            for (index, text) in try SavedFile.bytes(of: path).split(separator: UInt8(ascii: "\n")).enumerated() {
                guard let line = line(text, number: index + 1) else {
                    if let missing = try? JSONLine.decode(LeftOutRequests.self, from: Array(text)).leftOut {
                        gaps[node] = missing
                        continue
                    }
                    throw .damaged(path, "line \(index + 1) is not a record of a request")
                }
                lines.append(line)
            }
            logs[node] = lines
        }
        return (logs, gaps)
    }

    private static func line(_ text: ArraySlice<UInt8>, number: Int) -> LogLine? {
        guard let values = try? JSONLine.decode([String: Scalar].self, from: Array(text)),
            let time = values["time"].flatMap({ Timestamp($0.text) })
        else { return nil }
        return LogLine(number: number, time: time, fields: values.mapValues(\.text))
    }

    /// A JSON value that is no list and no object, as text.
    private struct Scalar: Decodable {
        var text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let word = try? container.decode(String.self) {
                text = word
            } else if let number = try? container.decode(Int.self) {
                text = "\(number)"
            } else {
                text = "\(try container.decode(Double.self))"
            }
        }
    }
}
