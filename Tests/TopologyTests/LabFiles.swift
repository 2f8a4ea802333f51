import Foundation
import TestSupport

/// The repository's lab files.
enum LabFiles {
    /// Beside the folder of the tests, wherever the package is.
    static var fastPath: String { path("fast-path-mac-failover") }
    static var directReturn: String { path("direct-server-return") }
    static var directReturnBalancers: String { path("direct-server-return-balancers") }

    static func shipped(_ lab: String) -> String { path(lab) }

    /// Labs of the catalogue, of the benchmarks and in the tests.
    private static let texts: [String] = ["Labs", "Benchmarks", "Tests"].flatMap { folder -> [String] in
        let root = Package.root + "/" + folder
        let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return files.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".swift") }.compactMap {
            try? String(contentsOfFile: root + "/" + $0, encoding: .utf8)
        }
    }

    /// Whether a lab of the catalogue, of the benchmarks or of the tests has this text.
    /// - Parameter text: up to its end: `kind: udp` is not in `kind: udp-request`
    static func mention(_ text: String) -> Bool {
        guard let last = text.last, last.isLetter || last.isNumber else { return texts.contains { $0.contains(text) } }
        return texts.contains { file in
            file.ranges(of: text).contains { range in
                guard range.upperBound < file.endIndex else { return true }
                let next = file[range.upperBound]
                return !next.isLetter && !next.isNumber && next != "-"
            }
        }
    }

    private static func path(_ lab: String) -> String {
        guard let real = realpath(#filePath, nil) else { return #filePath }
        defer { free(real) }
        let parts = String(cString: real).split(separator: "/", omittingEmptySubsequences: false)
        return parts.dropLast(3).joined(separator: "/") + "/Labs/\(lab)/lab.yaml"
    }
}
