import Foundation
import Impairment
import LabEvents
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
        #expect(FaultKinds.table.filter { $0.event == kind.event }.count == 1)
        let text =
            switch kind.type.target {
            case .node, .firewallOfPair, .rule: "lb"
            case .interface: "lb.inside"
            case .program: "lb/bird"
            case .weight: "lb/web/backend-1=3"
            }
        let fault = try #require(Fault(kind, of: text))
        #expect(fault.event == kind.event && fault.description == "\(kind.rawValue) \(text)")
        #expect(LabFiles.mention("{ \(kind.rawValue): "), "no lab has a fault '\(kind.rawValue)'")
    }

    /// Two versions of the command meet where one talks to the other's lab.
    @Test(arguments: [
        (Fault.switchover(node: "fw"), #"{"switchover":{"node":"fw"}}"#),
        (.powerOff(node: "fw"), #"{"powerOff":{"node":"fw"}}"#),
        (.powerOn(node: "fw"), #"{"powerOn":{"node":"fw"}}"#),
        (
            .linkDown(InterfaceReference(node: "lb", interface: "in")),
            #"{"linkDown":{"_0":{"interface":"in","node":"lb"}}}"#
        ),
        (
            .linkUp(InterfaceReference(node: "lb", interface: "in")),
            #"{"linkUp":{"_0":{"interface":"in","node":"lb"}}}"#
        ),
        (.hang(node: "fw"), #"{"hang":{"node":"fw"}}"#),
        (.resume(node: "fw"), #"{"resume":{"node":"fw"}}"#),
        (.kill(ProgramReference(node: "lb", program: "bird")), #"{"kill":{"_0":{"node":"lb","program":"bird"}}}"#),
        (
            .startProgram(ProgramReference(node: "lb", program: "bird")),
            #"{"startProgram":{"_0":{"node":"lb","program":"bird"}}}"#
        ),
        (.arm(rule: "late", element: "lb.in"), #"{"arm":{"element":"lb.in","rule":"late"}}"#),
        (.disarm(rule: "late", element: "lb.in"), #"{"disarm":{"element":"lb.in","rule":"late"}}"#),
        (.release(rule: "late", element: "lb.in"), #"{"release":{"element":"lb.in","rule":"late"}}"#),
        (
            .weight(node: "lb", service: "web", member: "b1", weight: 3),
            #"{"weight":{"member":"b1","node":"lb","service":"web","weight":3}}"#
        ),
    ])
    func `a fault's form in messages stays`(fault: Fault, form: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let line = try encoder.encode(fault)
        #expect(String(decoding: line, as: UTF8.self) == form)
        #expect(try JSONDecoder().decode(Fault.self, from: line) == fault)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(Fault.self, from: Data(#"{ "flood": { "node": "fw" } }"#.utf8))
        }
    }

    @Test func `the reference has their tables`() throws {
        let actions = FaultActionForms.table.map { "| \($0.word) | \($0.summary) |" }
        try ReferencePage("fault-actions").check(
            (["| `do` | forms |", "|---|---|"] + actions).joined(separator: "\n"))
        let faults = FaultKinds.table.map {
            "| `\($0.event.rawValue)` | \($0.target.form.reference) | \($0.summary) |"
        }
        try ReferencePage("fault-kinds").check(
            (["| fault | target | effect |", "|---|---|---|"] + faults).joined(separator: "\n"))
    }
}
