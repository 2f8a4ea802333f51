import Foundation
import Glibc
import TestSupport
import Testing

@testable import LabRuntime

/// A file that keeps its first and its newest part.
struct BoundedFileTests {
    private static func line(_ gap: BoundedFile.Gap) -> [UInt8] {
        Array("[\(gap.bytes) bytes, \(gap.lines) lines, \(text(gap.first)) … \(text(gap.last))]\n".utf8)
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path + "/file"
    }

    private func file(_ first: Int, _ newest: Int) throws -> BoundedFile {
        BoundedFile(try RunFiles.openToAppend(path), FileBounds(first: first, newest: newest), line: Self.line)
    }

    private var contents: String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

    private func numbered(_ numbers: ClosedRange<Int>) -> [UInt8] {
        numbers.flatMap { Array("\($0)\n".utf8) }
    }

    @Test func `what fits is there as it was written`() throws {
        let file = try file(10, 5)
        try file.append(Array("one\n".utf8))
        try file.append([])
        try file.append(Array("two\n".utf8))
        #expect(contents == "one\ntwo\n" && file.gap == nil)
        // Behind the first part twice the newest one fits before anything is left out.
        try file.append(Array("three\nfour".utf8))
        #expect(contents == "one\ntwo\nthree\nfour" && file.gap == nil)
    }

    @Test func `the first and the newest part are whole lines, and the line between them states what is missing`()
        throws
    {
        let file = try file(9, 9)
        for number in 10...19 { try file.append(Array("\(number)\n".utf8)) }
        // The first part ends before the line that would not fit; 13 to 18 are the newest, up to twice 9 bytes.
        #expect(
            file.gap == BoundedFile.Gap(offset: 9, bytes: 12, lines: 4, first: Array("13".utf8), last: Array("16".utf8))
        )
        #expect(contents == "10\n11\n12\n[12 bytes, 4 lines, 13 … 16]\n17\n18\n19\n")
        for number in 20...40 { try file.append(Array("\(number)\n".utf8)) }
        let gap = try #require(file.gap)
        #expect(gap.offset == 9 && Self.text(gap.first) == "13")
        let newest = contents.components(separatedBy: "]\n").last ?? ""
        let kept = newest.split(separator: "\n").compactMap { Int($0) }
        #expect(kept.last == 40 && kept == Array((kept.first ?? 0)...40))
        #expect(gap.lines == (kept.first ?? 0) - 13 && gap.bytes == gap.lines * 3)
        #expect(Self.text(gap.last) == "\((kept.first ?? 0) - 1)")
    }

    @Test func `nothing is lost or doubled, however the writes are cut`() throws {
        for (seed, piece) in [(UInt64(1), 1), (2, 7), (3, 64), (4, 1000)] {
            unlink(path)
            var random = SeededGenerator(seed: seed)
            let file = try file(500, 300)
            let bytes = numbered(1...5000)
            var start = 0
            while start < bytes.count {
                let end = min(bytes.count, start + Int.random(in: 1...piece, using: &random))
                try file.append(Array(bytes[start..<end]))
                start = end
            }
            let text = contents
            let parts = text.components(separatedBy: "[\(file.gap?.bytes ?? 0) bytes")
            #expect(parts.count == 2, "seed \(seed)")
            let newest = parts[1].components(separatedBy: "]\n").last ?? ""
            #expect(parts[0].utf8.count + (file.gap?.bytes ?? 0) + newest.utf8.count == bytes.count, "seed \(seed)")
            #expect(bytes.starts(with: Array(parts[0].utf8)) && Self.text(bytes).hasSuffix(newest), "seed \(seed)")
            #expect(newest.utf8.count >= 250 && text.utf8.count <= 500 + 600 + 100, "seed \(seed): \(text.utf8.count)")
        }
    }

    @Test func `a line that is longer than a part is cut`() throws {
        let file = try file(10, 10)
        for _ in 0..<10 { try file.append(Array("0123456789".utf8)) }
        #expect(contents.hasPrefix("0123456789\n["), "\(contents)")
        #expect(contents.hasSuffix("0123456789") && contents.utf8.count < 10 + 20 + 200)
        #expect(file.gap?.lines == 0 && file.gap?.bytes == 80)
    }

    @Test func `a file that is there already is continued`() throws {
        try "before\n".write(toFile: path, atomically: true, encoding: .utf8)
        let file = try file(10, 10)
        try file.append(Array("after\n".utf8))
        #expect(contents == "before\nafter\n")
    }

    @Test func `a full disk is an error with the kernel's reason`() throws {
        let descriptor = open("/dev/full", O_RDWR)
        try #require(descriptor >= 0)
        let file = BoundedFile(descriptor, FileBounds(first: 10, newest: 10), line: Self.line)
        #expect(throws: (any Error).self) { try file.append([0x61]) }
    }

    @Test func `the reference states the limits`() throws {
        let text = try String(contentsOfFile: Package.root + "/docs/reference/limits.md", encoding: .utf8)
        let section = try #require(text.components(separatedBy: "## Files of a run").dropFirst().first)
        for (what, bounds) in [
            ("`events.jsonl`", FileBounds.events), ("`logs/<node>.access.jsonl`", .requests),
            ("`logs/<node>.log`, `logs/<node>.<program>.log`, `logs/<node>.<traffic>.log`", .log),
        ] {
            let row =
                "| \(what) | \(bounds.most >> 20) MiB: the first \(bounds.first >> 20) MiB, and at least the newest \(bounds.newest >> 20) MiB |"
            #expect(section.contains(row), "no row \(row)")
        }
        #expect(section.contains("| \(RunDelays.most) intervals"))
    }
}
