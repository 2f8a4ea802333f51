import Foundation
import TestSupport

/// A text beside the tests with what was computed, as it should be.
///
/// `FAILOVERLAB_REWRITE=1` writes what is computed into the file, to be read and committed.
public struct RecordedText {
    /// The text is not what was computed.
    public struct Difference: Error, CustomStringConvertible {
        public var description: String
    }

    private let folder: String
    private let file: String

    /// - Parameters:
    ///   - module: `RedundancyTests`
    ///   - file: below the module's folder
    public init(_ module: String, _ file: String) {
        folder = Self.folder(module)
        self.file = file
    }

    private static func folder(_ module: String) -> String { "\(Package.root)/Tests/\(module)" }

    /// The names of the texts in a folder of a module.
    public static func all(_ module: String, in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(Self.folder(module))/\(folder)")) ?? [])
            .filter { $0.hasSuffix(".txt") }.sorted()
    }

    /// Compares the file with what is computed from it.
    public func compare(with compute: (String) throws -> String) throws {
        let path = "\(folder)/\(file)"
        let expected = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let found = try compute(expected)
        if ProcessInfo.processInfo.environment["FAILOVERLAB_REWRITE"] != nil {
            return try found.write(toFile: path, atomically: true, encoding: .utf8)
        }
        guard found != expected else { return }
        let lines = found.split(separator: "\n", omittingEmptySubsequences: false)
        let wanted = expected.split(separator: "\n", omittingEmptySubsequences: false)
        let place =
            zip(lines, wanted).enumerated().first { $0.element.0 != $0.element.1 }?.offset
            ?? min(lines.count, wanted.count)
        throw Difference(
            description: """
                \(file), line \(place + 1):
                expected \(wanted.indices.contains(place) ? String(wanted[place]) : "the end")
                found    \(lines.indices.contains(place) ? String(lines[place]) : "the end")
                """)
    }
}
