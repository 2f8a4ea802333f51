import Configuration
import Foundation
import HostSide
import Testing

/// Labs ask for fields of the access log by names that another room lists.
@Suite struct `The fields of the access log` {
    @Test func `are those that a line has`() throws {
        let numbers: Set<AccessLogField> = [
            .clientPort, .vipPort, .memberPort, .snatPort, .status, .responseSize, .serverTime, .totalTime,
        ]
        let values = AccessLogField.allCases.map { field -> (String, Any) in
            let text = field == .time ? "2026-11-21T08:30:00.000000000Z" : "192.0.2.1"
            return (field.rawValue, numbers.contains(field) ? 200 as Any : text)
        }
        let whole = try JSONSerialization.data(withJSONObject: Dictionary(uniqueKeysWithValues: values))
        let record = try JSONDecoder().decode(AccessRecord.self, from: whole)
        let line = try #require(
            try JSONSerialization.jsonObject(with: Data(record.jsonLine.utf8)) as? [String: Any])
        #expect(Set(line.keys) == Set(AccessLogField.allCases.map(\.rawValue)))
        #expect(Mirror(reflecting: record).children.count == AccessLogField.allCases.count)
    }
}
