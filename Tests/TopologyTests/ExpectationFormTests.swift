import Expectation
import Foundation
import LabFile
import Testing

@testable import Topology

/// The table of kinds: each is complete, and used.
struct ExpectationFormTests {
    private static func lab(_ expectations: String) -> String {
        """
        schema: 1
        name: example
        networks: { net: 192.0.2.0/24 }
        nodes:
          client: { role: client, interfaces: { net: 192.0.2.10 } }
          server: { role: backend, interfaces: { net: 192.0.2.20 } }
          other: { role: backend, interfaces: { net: 192.0.2.30 } }
          lb:
            role: load-balancer
            interfaces: { net: 192.0.2.5 }
            virtual-services: { web: { listen: "192.0.2.100:80/tcp", profile: http, pool: ["server:80"] } }
        traffic:
          app: { from: client, to: lb/web, kind: http-request }
          stream: { from: client, to: "other:7", kind: tcp-stream, reconnect: on }
          load: { from: client, to: lb/web, kind: command, run: wrk, values: { rate: 'Requests/sec: +(?<value>\\d+)' } }
        scenario:
          - start: [app, stream, load]
          - { fail: { hang: other }, as: begun }
          - { fail: { resume: other }, as: done }
          - stop: [app, stream, load]
        expect:
        \(expectations.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))
        """
    }

    static let names = ExpectationForms.table.map(\.name)

    private func form(_ name: String) throws -> ExpectationForm {
        try #require(ExpectationForms.table.first { $0.name == name })
    }

    @Test(arguments: names)
    func `its example validates, has its keys, and comes through messages between processes`(name: String) throws {
        let form = try form(name)
        let text = Self.lab(form.example)
        let items = try #require(try LabDocument(parsing: text, path: "lab.yaml").root["expect"]?.elements)
        do {
            let specifications = try Lab(parsing: text, path: "lab.yaml").variants.first?.expectations ?? []
            #expect(specifications.count == items.count)
            #expect(specifications.allSatisfy { type(of: $0.subject.value) == form.subject })
            let line = try JSONEncoder().encode(specifications)
            #expect(try JSONDecoder().decode([ExpectationSpecification].self, from: line) == specifications)
        } catch {
            Issue.record("\(error)")
        }
        let written = Set(items.flatMap(Self.keys))
        for key in form.keys + form.requirements + form.innerKeys where !written.contains(key) {
            Issue.record("the example lacks '\(key)'")
        }
    }

    private static func keys(_ value: LabValue) -> [String] {
        (value.entries ?? []).flatMap { [$0.key] + keys($0.value) } + (value.elements ?? []).flatMap(keys)
    }

    @Test func `no two kinds have a name in common`() {
        #expect(Set(Self.names).count == Self.names.count)
        #expect(Set(ExpectationForms.keys).count == ExpectationForms.keys.count)
        #expect(ExpectationForms.table.filter { $0.word == nil }.count == 1, "traffic programs have names of their own")
    }

    @Test(arguments: names)
    func `a lab of the catalogue, the benchmarks or the tests uses it`(name: String) throws {
        guard let word = try form(name).word else { return }
        #expect(LabFiles.mention(" \(word): "), "no lab has an expectation '\(word)'")
    }

    @Test func `the reference has its table`() throws {
        let lines = ExpectationForms.table.map { form in
            "| \(form.word.map { "`\($0)`" } ?? "name of a traffic program") | \(form.summary) |"
        }
        try ReferencePage("expectation-kinds").check(
            (["| subject | checks |", "|---|---|"] + lines).joined(separator: "\n"))
    }
}
