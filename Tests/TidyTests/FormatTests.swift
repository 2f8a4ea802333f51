import Foundation
import TestSupport
import Testing

/// The form of the files; `.swift-format` has the rules for Swift.
struct FormatTests {
    private static let longest = 120

    @Test func `swift format finds nothing to mend`() throws {
        let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
        let swift = folders.map { "\($0)/swift" }.first { FileManager.default.isExecutableFile(atPath: $0) }
        let result = try Command.run(
            #require(swift, "'swift' is not on the PATH, and checks the format of the sources"),
            [
                "format", "lint", "--strict", "--recursive", "--parallel", "Package.swift", "Sources", "Tests",
                "Benchmarks",
            ],
            in: Package.root)
        #expect(
            result.status == 0,
            """
            'swift format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks' mends most of it:
            \(result.output)\(result.errors.split(separator: "\n").prefix(40).joined(separator: "\n"))
            """)
    }

    @Test func `lines of scripts and of C are no wider than code, and end without blanks`() throws {
        let scripts = try FileManager.default.contentsOfDirectory(atPath: Package.root + "/scripts").map {
            "scripts/\($0)"
        }
        let c = ["Sources", "Tests", "Benchmarks"].flatMap { folder in
            [".c", ".h", ".modulemap"].flatMap { SourceFiles.all(below: folder, $0) }
        }
        #expect(scripts.count > 3 && c.count > 5)
        for file in scripts + c {
            for (number, line) in try Self.lines(of: file).enumerated() {
                #expect(line.count <= Self.longest, "\(file):\(number + 1) has \(line.count) characters")
                #expect(line.last != " " && line.last != "\t", "\(file):\(number + 1) ends with a blank")
            }
        }
    }

    private static func lines(of file: String) throws -> [Substring] {
        try SourceFiles.text(of: file).split(separator: "\n", omittingEmptySubsequences: false)
    }
}
