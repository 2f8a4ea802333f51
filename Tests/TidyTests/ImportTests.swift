import Testing

/// The plan of the modules, as `ARCHITECTURE.md` draws it, is what the files do.
struct ImportTests {
    /// From the bottom up: a module imports only those before it.
    private static let order = [
        "LabTime", "Mutants", "LabEvents", "Wire", "Dataplane", "Redundancy", "Impairment", "Measurement",
        "TrafficModel", "Configuration", "HTTPExchange", "Appliances", "PacketText", "VirtualNetwork", "Evidence",
        "Expectation", "Integrity", "RegularFile", "OCIImage", "LabFile", "Topology", "Scenario", "Report", "EventLoop",
        "Netlink",
        "PacketIO",
        "Capture", "TLSSession", "Traffic", "HostSide", "LabRuntime", "failoverlab",
    ]

    /// No I/O, no clock, no randomness. `CMemory` advises about memory only.
    private static let pure: Set<String> = [
        "LabTime", "LabEvents", "Wire", "Dataplane", "Redundancy", "Impairment", "Measurement", "TrafficModel",
        "Configuration", "HTTPExchange", "Appliances", "PacketText", "VirtualNetwork", "Evidence", "Expectation",
        "Integrity", "Topology", "Scenario",
    ]

    /// Modules through which a pure one could reach the kernel, a clock or randomness.
    private static let impure: Set<String> = [
        "Glibc", "Foundation", "FoundationEssentials", "Dispatch", "Synchronization", "CLinux", "CNetlink", "CPcap",
        "SystemPackage", "NIOCore", "NIOPosix", "EventLoop", "Netlink", "PacketIO", "Capture", "Traffic", "HostSide",
        "LabRuntime",
    ]

    private let plan: PackagePlan

    init() throws { plan = try PackagePlan() }

    @Test func `the manifest is understood`() {
        #expect(plan.modules.count >= 40, "\(plan.modules.map(\.name))")
        for module in plan.modules where !module.declared.isEmpty {
            #expect(!module.imported.isEmpty, "\(module.name) imports nothing at all")
        }
        #expect(plan.modules.first { $0.name == "Traffic" }?.declared.contains("NIOPosix") == true)
    }

    @Test func `every import is declared`() {
        for module in plan.modules {
            for (imported, file) in module.imported
            where !module.declared.contains(imported) && imported != module.name
                && !PackagePlan.ofSystem.contains(imported)
            {
                Issue.record("\(file) imports \(imported), which Package.swift does not declare for \(module.name)")
            }
        }
    }

    @Test func `every declared dependency is imported`() {
        for module in plan.modules {
            // Every test target has it, used or not.
            for declared in module.declared.subtracting(module.imported.keys).subtracting(["TestSupport"]) {
                Issue.record("Package.swift declares \(declared) for \(module.name), of which no file imports it")
            }
        }
    }

    @Test func `imports go in one direction`() {
        let places = Dictionary(uniqueKeysWithValues: Self.order.enumerated().map { ($1, $0) })
        for module in plan.modules where !module.isTest {
            guard let own = places[module.name] else { continue }
            for (imported, file) in module.imported {
                guard let other = places[imported], other >= own, imported != module.name else { continue }
                Issue.record("\(file) imports \(imported), which stands above \(module.name)")
            }
        }
        let missing = plan.modules.filter { !$0.isTest && $0.folder.hasPrefix("Sources/") && places[$0.name] == nil }
        #expect(missing.isEmpty, "no place in the order: \(missing.map(\.name))")
    }

    /// For the boxes' data there is `Configuration`.
    @Test func `the topology knows boxes only where they are made, commanded and counted`() throws {
        let knowing = try SourceFiles.all(below: "Sources/Topology").filter {
            try SourceFiles.text(of: $0).split(separator: "\n").contains { $0.hasSuffix("import Appliances") }
        }
        let others = knowing.filter {
            !$0.hasPrefix("Sources/Topology/Roles/") || !$0.hasSuffix("Configuration+Role.swift")
        }
        let (made, counted) = (["Resolution/ConfigurationTrial", "Roles/ResolvedRole"], ["CounterExpectationReading"])
        let commanded = [
            "Faults/RuleFaults", "Faults/SwitchoverFault", "Faults/WeightFault", "Model/NodeAction", "Steps/ClearStep",
        ]
        let expected = made + commanded + counted.map { "Expectations/\($0)" }
        #expect(others.sorted() == expected.map { "Sources/Topology/\($0).swift" }.sorted())
    }

    @Test func `pure modules import nothing that touches the kernel`() {
        for module in plan.modules where Self.pure.contains(module.name) {
            for (imported, file) in module.imported where Self.impure.contains(imported) {
                Issue.record("\(file) imports \(imported), and \(module.name) is pure")
            }
        }
    }
}
