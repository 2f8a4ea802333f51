import Foundation
import LabFile
import TestSupport
import Testing

@testable import Topology

/// The table of short forms, and the form of any command: each is complete, and used.
struct ProgramFormTests {
    private static func lab(_ program: String) -> String {
        """
        schema: 1
        name: example
        networks: { net: 192.0.2.0/24 }
        nodes:
          server: { role: backend, interfaces: { net: 192.0.2.20 }, services: { http: 80 } }
          proxy:
            role: router
            interfaces: { net: 192.0.2.10 }
            programs:
        \(program.split(separator: "\n").map { "      " + $0 }.joined(separator: "\n"))
        """
    }

    private struct Form {
        var example: String
        /// Those that an example has: 'config' replaces the other keys of a short form.
        var keys: [String]

        init(_ form: any ProgramForm.Type) {
            example = form.example
            keys = (form.keys + form.innerKeys).filter { $0 != "config" }
        }
    }

    private static let forms: [Form] = ProgramForms.table.map { Form($0) } + [Form(CommandDefinition.self)]

    @Test(arguments: forms.indices)
    func `its example validates and has its keys`(number: Int) throws {
        let form = Self.forms[number]
        let text = Self.lab(form.example)
        do {
            let nodes = try Lab(parsing: text, path: "lab.yaml").variants.first?.nodes
            #expect(nodes?.last?.programs.count == 1)
        } catch {
            Issue.record("\(error)")
        }
        let programs = try LabDocument(parsing: text, path: "lab.yaml").root["nodes"]?["proxy"]?["programs"]
        let written = Set(programs?.entries?.flatMap { Self.keys($0.value) } ?? [])
        for key in form.keys where !written.contains(key) { Issue.record("the example lacks '\(key)'") }
    }

    private static func keys(_ value: LabValue) -> [String] {
        (value.entries ?? []).flatMap { [$0.key] + keys($0.value) } + (value.elements ?? []).flatMap(keys)
    }

    @Test func `a lab of the catalogue, the benchmarks or the tests uses each`() {
        for form in ProgramForms.table where !LabFiles.mention("\(form.name): {") {
            Issue.record("no lab has a program '\(form.name)'")
        }
    }

    @Test func `the reference has its table`() throws {
        let lines = ProgramForms.table.map { "| `\($0.name)` | \($0.summary) |" }
        try ReferencePage("program-forms").check(
            (["| short form | program |", "|---|---|"] + lines).joined(separator: "\n"))
    }
}
