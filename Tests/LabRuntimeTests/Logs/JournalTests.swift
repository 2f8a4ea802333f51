import Evidence
import Foundation
import LabTime
import TestSupport
import Testing

@testable import LabRuntime

struct JournalTests {
    private static func at(_ milliseconds: Int) -> Timestamp {
        Timestamp("2026-11-21T08:30:00Z")! + .milliseconds(milliseconds)
    }

    private static func event(_ number: Int) -> LabEvent {
        LabEvent(
            name: "gw.state-created", time: at(number), kind: "state-created", node: "gw",
            details: ["number": "\(number)"])
    }

    private static func events(of path: String) throws -> [LabEvent] {
        try SavedFile.bytes(of: path).split(separator: UInt8(ascii: "\n")).map {
            try JSONLine.decode(LabEvent.self, from: Array($0))
        }
    }

    @Test func `of very many events the first and the newest are there, and an event names which are missing`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/events.jsonl"
        let journal = try Journal(path: path, bounds: FileBounds(first: 2000, newest: 1000))
        for number in 0..<1000 { try journal.append(Self.event(number)) }
        let events = try Self.events(of: path)
        let place = try #require(events.firstIndex { $0.leftOut != nil })
        let gap = try #require(events[place].leftOut)
        #expect(events.count(where: { $0.leftOut != nil }) == 1)
        // What is left is in order, with nothing missing but what the gap names.
        #expect(Array(events[..<place]) == (0..<place).map(Self.event))
        #expect(Array(events[(place + 1)...]) == (place + gap.count..<1000).map(Self.event))
        #expect(gap == RecordGap(from: Self.at(place), to: Self.at(place + gap.count - 1), count: gap.count))
        #expect(events.count - 1 + gap.count == 1000 && journal.gap?.lines == gap.count)
        #expect(try SavedFile.bytes(of: path).count < 2000 + 2000 + 300)
    }

    @Test func `a finished journal takes nothing more`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/events.jsonl"
        let journal = try Journal(path: path)
        try journal.append(Self.event(1))
        journal.finish()
        try journal.append(Self.event(2))
        #expect(try Self.events(of: path) == [Self.event(1)] && journal.gap == nil)
    }
}
