import Foundation
import LabFile

/// What the script has built.
struct Tools {
    let top: String
    let failoverlab: String
    let tests: String
    let scratch: String

    init() throws {
        let environment = ProcessInfo.processInfo.environment
        func value(_ name: String) throws -> String {
            guard let value = environment[name] else { throw Trouble("\(name) is not set; start scripts/mutants") }
            return value
        }
        top = try value("MUTANTS_TOP")
        let built = try value("MUTANTS_BUILT")
        failoverlab = built + "/failoverlab"
        tests = built + "/failoverlabPackageTests.xctest"
        scratch = try value("MUTANTS_SCRATCH")
    }

    func environment(_ mutant: String?) -> [String: String] {
        [
            "FAILOVERLAB_MUTANT": mutant ?? "", "SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH": "6", "NO_COLOR": "1",
        ]
    }

    /// Where a mutant is switched, relative to `Sources`.
    func hooks(of mutant: String) -> [String] {
        let sources = top + "/Sources"
        guard let files = FileManager.default.enumerator(atPath: sources) else { return [] }
        return files.compactMap { $0 as? String }.filter { file in
            guard file.hasSuffix(".swift"), !file.hasPrefix("Mutants/"),
                let text = try? String(contentsOfFile: sources + "/" + file, encoding: .utf8)
            else { return false }
            return text.contains("(.\(mutant))") || text.contains("(.\(mutant),")
        }.sorted()
    }

    /// The labs of the catalogue.
    func catalogue() -> [String] {
        LabCatalogue(folder: top + "/Labs").entries.map(\.name)
    }
}

struct Trouble: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
