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
        LabReading.keys, NetworkDefinition.keys, InterfaceDefinition.keys, RoutingDefinition.keys,
        RoutingDefinition.ruleKeys, RedundancyDefinition.keys, RedundancyDefinition.conduitKeys, NATDefinition.keys,
        NATDefinition.poolKeys, NATDefinition.ruleKeys, NATDefinition.timerKeys, PolicyDefinition.ruleKeys,
        PushReading.keys, PushDefinition.keys, VirtualServiceDefinition.keys, VirtualServiceDefinition.memberKeys,
        VirtualServiceDefinition.monitorKeys, VirtualServiceDefinition.directReturnKeys, TunnelDefinition.keys,
        FaultsReading.keys, VariantDefinition.keys, CaptureReading.keys,
        RoleForms.table.flatMap { [$0.word] + $0.allKeys },
        CommandDefinition.keys, ProgramForms.table.flatMap { [$0.name] + $0.keys + $0.innerKeys },
        TrafficReading.keys, TrafficKinds.table.map { $0.name },
        LiveStepKinds.table.flatMap { [$0.word] + $0.options }, Fault.Kind.allCases.map(\.rawValue),
        FaultActionForms.table.flatMap { [$0.word] + $0.keys + $0.innerKeys },
        ExpectationForms.keys, ExpectationForms.table.flatMap { $0.keys + $0.innerKeys },
    ]

    @Test func `every field of frames is listed`() throws {
        let text = try Self.page("fields.md")
        for field in FrameField.Name.allCases where !text.contains("`\(field.rawValue)`") {
            Issue.record("fields.md does not list '\(field.rawValue)'")
        }
    }
}
