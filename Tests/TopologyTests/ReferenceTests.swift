import Expectation
import Foundation
import Measurement
import TestSupport
import Testing

@testable import Topology

/// The pages of `docs/reference` name whatever a lab file may.
struct ReferenceTests {
    private static func page(_ name: String) throws -> String {
        try String(contentsOfFile: Package.root + "/docs/reference/" + name, encoding: .utf8)
    }

    @Test func `every key of a lab file is described`() throws {
        let pages = [
            "lab-file", "networks", "nodes", "programs", "firewall", "nat", "gateway-firewall", "load-balancer",
            "direct-server-return", "traffic", "scenario", "faults", "variants", "expectations",
        ]
        let text = try pages.map { try Self.page($0 + ".md") }.joined()
        let words = Set(text.split { !$0.isLetter && !$0.isNumber && $0 != "-" }.map(String.init))
        for key in Self.keys where !words.contains(key) { Issue.record("no page of the reference has '\(key)'") }
    }

    private static let keys: [String] = all.flatMap { $0 }

    private static let all: [[String]] = [
        LabKeys.top, LabKeys.network, LabKeys.interface, LabKeys.redundancy, LabKeys.nat, LabKeys.natPool,
        LabKeys.natRule, LabKeys.natTimers, LabKeys.firewall, LabKeys.conduit, LabKeys.rule, LabKeys.push,
        LabKeys.pushChange, LabKeys.gatewayFirewall, LabKeys.virtualService, LabKeys.routing, LabKeys.routingRule,
        CommandDefinition.keys, ProgramForms.table.flatMap { $0.keys + $0.innerKeys }, LabKeys.poolMember, LabKeys.monitor,
        LabKeys.directReturn, LabKeys.tunnel, TrafficReading.keys, LabKeys.fault, LabKeys.variant, LabKeys.capture,
        ExpectationForms.keys, ExpectationForms.table.flatMap { $0.keys + $0.innerKeys },
        NodeDefinition.Role.allCases.map(\.rawValue), NodeDefinition.Role.allCases.flatMap(\.keys),
        TrafficProgram.Kind.allCases.map(\.rawValue),
    ]

    @Test func `every field of frames is listed`() throws {
        let text = try Self.page("fields.md")
        for field in FrameField.Name.allCases where !text.contains("`\(field.rawValue)`") {
            Issue.record("fields.md does not list '\(field.rawValue)'")
        }
    }
}
