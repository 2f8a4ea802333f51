import Evidence
import Foundation
import Glibc
import LabTime
import TestSupport
import Testing

@testable import LabRuntime

/// The supervisor's writer of logs: others have pipes, it has the files.
struct RunLogsTests {
    private func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }

    private func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

    @Test func `what was written is in the file when somebody asks, also of a writer that is gone`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/fw.log"
        let logs = try RunLogs()
        for word in ["one", "two"] {
            let end = try logs.open(path, .node)
            write("\(word)\nand \(word) more\n", to: end)
            close(end)
        }
        #expect(logs.lastLines(of: path, most: 3) == ["and one more", "two", "and two more"])
        #expect(logs.gaps.isEmpty)
    }

    @Test func `who prints without end is not kept waiting, and the file keeps its first and its newest part`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/fw.chatty.log"
        let logs = try RunLogs()
        let end = try logs.open(path, .program)
        write("first\n", to: end)
        let block = String(repeating: "0123456789abcde\n", count: 4096)
        for _ in 0..<1024 { write(block, to: end) }
        write("last\n", to: end)
        logs.settle()
        let size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
        #expect(size <= FileBounds.log.most + 200)
        let gap = try #require(logs.gaps.first)
        #expect(gap.path == path && gap.gap.offset <= FileBounds.log.first)
        let log = text(path)
        #expect(log.hasPrefix("first\n0123") && log.hasSuffix("cde\nlast\n"))
        #expect(
            log.contains(
                "\n--- failoverlab left out \(gap.gap.bytes) bytes here: a log keeps its first 4 MiB and its newest 4 MiB ---\n0123"
            ))
        let line = String(decoding: LeftOutLine.ofLog(gap.gap), as: UTF8.self)
        #expect(size - line.utf8.count + gap.gap.bytes == 11 + 1024 * block.utf8.count)
        close(end)
    }

    @Test func `an access log has whole lines alone, whoever was killed while it wrote`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/lb.access.jsonl"
        let logs = try RunLogs()
        let killed = try logs.open(path, .requests)
        write("{\"one\":1}\n{\"tw", to: killed)
        logs.settle()
        #expect(text(path) == "{\"one\":1}\n")
        close(killed)
        let end = try logs.open(path, .requests)
        write("{\"three\":3}\n", to: end)
        logs.settle()
        #expect(text(path) == "{\"one\":1}\n{\"three\":3}\n")
        // What comes after the run is no part of what the run recorded.
        try logs.finishRequests()
        write("{\"four\":4}\n", to: end)
        logs.settle()
        #expect(text(path) == "{\"one\":1}\n{\"three\":3}\n")
        #expect(text(folder.path + "/lb.access.later.jsonl") == "{\"four\":4}\n")
        close(end)
    }

    @Test func `requests that are missing are read as a gap, and no other line may look so`() throws {
        let folder = try TemporaryFolder()
        let run = RunFolder(folder.path)
        try run.create()
        func request(_ second: Int) -> String {
            "{\"time\":\"2026-11-21T08:30:0\(second).000000000Z\",\"status\":200}\n"
        }
        func line(_ second: Int) -> [UInt8] { Array(request(second).dropLast().utf8) }
        let missing = LeftOutLine.ofRequests(
            BoundedFile.Gap(offset: 1, bytes: 1, lines: 3, first: line(2), last: line(4)))
        let text = request(1) + String(decoding: missing, as: UTF8.self) + request(5)
        try text.write(toFile: run.requests(of: "lb"), atomically: true, encoding: .utf8)
        let (lines, gaps) = try AccessLogReading.logs(in: run)
        #expect(lines["lb"]?.map(\.number) == [1, 3])
        #expect(
            gaps["lb"]
                == RecordGap(
                    from: Timestamp("2026-11-21T08:30:02Z")!, to: Timestamp("2026-11-21T08:30:04Z")!, count: 3))
        try "{\"leftOut\":3}\n".write(toFile: run.requests(of: "lb"), atomically: true, encoding: .utf8)
        #expect(throws: LabFailure.self) { try AccessLogReading.logs(in: run) }
    }
}
