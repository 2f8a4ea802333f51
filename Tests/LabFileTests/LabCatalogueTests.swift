import Foundation
import LabFile
import TestSupport
import Testing

struct LabCatalogueTests {
    private func catalogue(_ files: [String]) throws -> (folder: TemporaryFolder, catalogue: LabCatalogue) {
        let folder = try TemporaryFolder()
        for file in files {
            let path = URL(fileURLWithPath: folder.path + "/" + file)
            try FileManager.default.createDirectory(
                at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data().write(to: path)
        }
        return (folder, LabCatalogue(folder: folder.path))
    }

    @Test func `a folder with a lab file is a lab, at any depth, and none is looked for below it`() throws {
        let (folder, catalogue) = try catalogue([
            "README.md", "b/lab.yaml", "b/inner/lab.yaml", "a/deep/lab.yaml", "a/notes.txt", ".hidden/lab.yaml",
            "lab.yaml",
        ])
        #expect(catalogue.entries.map(\.name) == ["a/deep", "b"])
        #expect(catalogue.entries.map(\.path) == ["a/deep", "b"].map { "\(folder.path)/\($0)/lab.yaml" })
    }

    @Test func `a folder that leads to itself ends`() throws {
        let (folder, _) = try catalogue(["a/x/lab.yaml"])
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/a/again", withDestinationPath: "..")
        let names = LabCatalogue(folder: folder.path).entries.map(\.name)
        #expect(names.contains("a/x") && names.count < 10, "\(names)")
    }

    @Test func `a name means the lab with it, else those that end with it`() throws {
        let (_, catalogue) = try catalogue([
            "drain/lab.yaml", "vrrp/drain/lab.yaml", "vrrp/preempt/lab.yaml", "old/vrrp/preempt/lab.yaml",
        ])
        func names(_ name: String) -> [String] { catalogue.entries(named: name).map(\.name) }
        #expect(names("drain") == ["drain"])
        #expect(names("vrrp/preempt") == ["vrrp/preempt"])
        #expect(names("preempt") == ["old/vrrp/preempt", "vrrp/preempt"])
        #expect(names("reempt").isEmpty && names("").isEmpty)
    }

    @Test func `a folder that is not there has no labs`() {
        #expect(LabCatalogue(folder: "/nowhere/at/all").entries.isEmpty)
    }
}
