import Foundation
import LabFile
import Measurement
import TestSupport
import Testing

@testable import Topology

/// The table of kinds: each is complete, and used.
struct TrafficKindTests {
    private static func lab(_ program: String) -> String {
        """
        schema: 1
        name: example
        networks: { net: 192.0.2.0/24 }
        nodes:
          client: { role: client, loopback: [10.64.0.0/24], interfaces: { eth0: { network: net } } }
          server: { role: backend, interfaces: { eth0: { network: net } }, services: { http: 80, none: 53/udp } }
        traffic:
          app: \(program)
        scenario: [ { start: app }, { wait: 1s }, { stop: app } ]
        expect:
          - app: survives
        """
    }

    @Test(arguments: TrafficProgram.Kind.allCases)
    func `its example validates and has its keys`(kind: TrafficProgram.Kind) throws {
        let text = Self.lab(kind.type.example)
        do {
            let lab = try Lab(parsing: text, path: "lab.yaml")
            #expect(lab.variants.first?.traffic.first?.kind == kind)
        } catch {
            Issue.record("\(error)")
        }
        let program = try LabDocument(parsing: text, path: "lab.yaml").root["traffic"]?["app"]
        for key in kind.type.keys where program?[key.name] == nil { Issue.record("the example lacks '\(key.name)'") }
    }

    @Test(arguments: TrafficProgram.Kind.allCases)
    func `it has sentences`(kind: TrafficProgram.Kind) {
        #expect(!kind.type.summary.isEmpty && !kind.type.summary.hasSuffix("."))
        for key in kind.type.keys { #expect(!key.summary.isEmpty && !key.usual.isEmpty, "\(key.name)") }
    }

    @Test func `no key is declared twice`() {
        #expect(Set(TrafficReading.keys).count == TrafficReading.keys.count)
        for (key, kinds) in TrafficKinds.keys {
            let all = TrafficKinds.table.flatMap { $0.keys }.filter { $0.name == key.name }
            #expect(Set(all).count == 1 && all.count == kinds.count, "\(key.name)")
        }
    }

    @Test(arguments: TrafficProgram.Kind.allCases)
    func `a lab of the catalogue, the benchmarks or the tests uses it`(kind: TrafficProgram.Kind) {
        #expect(LabFiles.mention("kind: \(kind.rawValue)"), "no lab has 'kind: \(kind.rawValue)'")
    }

    /// With `FAILOVERLAB_WRITE_TABLES` set, the page is written anew.
    @Test func `the reference has its tables`() throws {
        let kinds = TrafficKinds.table.map { "| `\($0.name)` | \($0.summary) |" }
        try ReferencePage("traffic-kinds").check((["| `kind` | flows |", "|---|---|"] + kinds).joined(separator: "\n"))
        let common = TrafficReading.commonKeys.map { "| `\($0.name)` | \($0.usual) | \($0.summary) |" }
        let own = TrafficKinds.keys.map { key, kinds in
            "| `\(key.name)` | \(key.usual) | of \(kinds.map { "`\($0)`" }.joined(separator: " and ")): \(key.summary) |"
        }
        try ReferencePage("traffic-keys").check(
            (["| key | default | value |", "|---|---|---|"] + common + own).joined(separator: "\n"))
    }
}
