import Foundation
import Impairment
import LabFile
import Testing

@testable import Topology

/// The tables of faults: each entry is complete, and used.
struct FaultFormTests {
    private static func lab(_ action: String) -> String {
        """
        schema: 1
        name: example
        networks: { net: 192.0.2.0/24 }
        nodes:
          client: { role: client, interfaces: { net: 192.0.2.10 } }
          server: { role: backend, interfaces: { net: 192.0.2.20 } }
        faults:
          example: { on: client.net, do: \(action) }
        scenario:
          - { fail: { arm: example }, as: done }
        """
    }

    private static let actions: [(form: FaultActionForm, example: String)] = FaultActionForms.table.flatMap { form in
        form.examples.map { (form, $0) }
    }

    @Test(arguments: actions.map(\.example))
    func `an example of an action validates`(example: String) throws {
        do {
            let lab = try Lab(parsing: Self.lab(example), path: "lab.yaml")
            #expect(lab.variants.first?.elements.first?.rules.count == 1)
        } catch {
            Issue.record("\(example): \(error)")
        }
    }

    @Test(arguments: FaultActionForms.words)
    func `the examples of an action have its keys`(word: String) throws {
        let form = try #require(FaultActionForms.table.first { $0.word == word })
        let written = try Set(
            form.examples.flatMap { example in
                let root = try LabDocument(parsing: "do: \(example)", path: "lab.yaml").root
                return Self.keys(root)
            })
        for key in form.keys + form.innerKeys where !written.contains(key) {
            Issue.record("no example has '\(key)'")
        }
        #expect(form.isBare == form.examples.contains(word))
        #expect(LabFiles.mention("do: \(word)") || LabFiles.mention("{ \(word): "), "no lab has 'do: \(word)'")
    }

    private static func keys(_ value: LabValue) -> [String] {
        (value.entries ?? []).flatMap { [$0.key] + keys($0.value) } + (value.elements ?? []).flatMap(keys)
    }

    @Test(arguments: Fault.Kind.allCases)
    func `a fault of the scenario has a line, and a lab`(kind: Fault.Kind) throws {
        #expect(FaultForms.table.filter { $0.kind == kind }.count == 1)
        let text =
            switch kind.target {
            case .node, .firewallOfPair, .rule: "lb"
            case .interface: "lb.inside"
            case .program: "lb/bird"
            case .weight: "lb/web/backend-1=3"
            }
        let fault = try #require(Fault(kind, of: text))
        #expect(fault.kind == kind && fault.description == "\(kind.rawValue) \(text)")
        #expect(LabFiles.mention("{ \(kind.rawValue): "), "no lab has a fault '\(kind.rawValue)'")
    }

    @Test func `the reference has their tables`() throws {
        let actions = FaultActionForms.table.map { "| \($0.word) | \($0.summary) |" }
        try ReferencePage("fault-actions").check(
            (["| `do` | forms |", "|---|---|"] + actions).joined(separator: "\n"))
        let faults = FaultForms.table.map {
            "| `\($0.kind.rawValue)` | \($0.target.form.reference) | \($0.summary) |"
        }
        try ReferencePage("fault-kinds").check(
            (["| fault | target | effect |", "|---|---|---|"] + faults).joined(separator: "\n"))
    }
}
