import Foundation
import TestSupport

/// The package's own files.
enum SourceFiles {
    /// What the checks of names need of a Swift file.
    struct Swift {
        var path: String
        /// How often each identifier occurs.
        var identifiers: [String: Int]
        var types: [String]
        /// The texts of its string literals.
        var strings: [String]
    }

    /// Every Swift file of the package, read once.
    static let swift = Result {
        try ["Sources", "Tests", "Benchmarks"].flatMap { all(below: $0) }.map { path in
            let text = SwiftText(try text(of: path))
            return Swift(
                path: path, identifiers: Dictionary(text.identifiers.map { ($0, 1) }, uniquingKeysWith: +),
                types: text.types, strings: text.strings)
        }
    }

    /// Relative to the package, in order; nothing of folders that begin with a dot, as builds make them.
    static func all(below folder: String, _ suffix: String = ".swift") -> [String] {
        let files = FileManager.default.enumerator(atPath: "\(Package.root)/\(folder)")?.compactMap { $0 as? String }
        return (files ?? []).filter { $0.hasSuffix(suffix) && !"/\($0)".contains("/.") }.map { "\(folder)/\($0)" }
            .sorted()
    }

    static func text(of file: String) throws -> String {
        try String(contentsOfFile: "\(Package.root)/\(file)", encoding: .utf8)
    }
}
