import Foundation
import Mutants
import TestSupport
import Testing

@Suite struct MutantTests {
    @Test func `no box is broken unless somebody asks for it`() {
        for mutant in Mutant.allCases { #expect(!Mutant.isOn(mutant)) }
    }

    @Test func `names are words in lower case, each once`() {
        let names = Mutant.allCases.map(\.rawValue)
        #expect(Set(names).count == names.count)
        for name in names {
            #expect(name.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" }, "\(name)")
        }
    }

    @Test func `every mutant is switched somewhere`() throws {
        let sources = Package.root + "/Sources"
        let files = try #require(FileManager.default.enumerator(atPath: sources)).compactMap { $0 as? String }
        let texts = try files.filter { $0.hasSuffix(".swift") && !$0.hasPrefix("Mutants/") }
            .map { try String(contentsOfFile: sources + "/" + $0, encoding: .utf8) }
            .filter { $0.contains("Mutant.is") }
        for mutant in Mutant.allCases {
            let hooks = ["Mutant.isOn(.\(mutant))", "Mutant.isTurn(.\(mutant), "]
            #expect(texts.contains { text in hooks.contains { text.contains($0) } }, "\(mutant)")
        }
    }
}
