import Testing

/// One name, one meaning, across the whole project.
struct NameTests {
    /// Names that types of several modules still share, and why. None may come in addition.
    private static let homonyms: [String: String] = [
        "Host": "what a test target needs of this machine, in CaptureTests and EndToEndTests",
        "Lab": "Topology's, and the command as EndToEndTests run it",
        "Route": "Dataplane's short name for IPv4, and a route of the kernel's in Netlink",
        "RoutingRule": "Topology's, and the kernel's in Netlink",
        "Sysctl": "a setting in Topology, and what reads and writes settings in Netlink",
        "TemporaryFolder": "TestSupport's, and one of CaptureTests without Foundation",
    ]

    /// `Sources/Wire/…` → `Sources/Wire`; the benchmarks are one module.
    private static func module(of file: String) -> String {
        let parts = file.split(separator: "/")
        return parts.prefix(parts[0] == "Benchmarks" ? 1 : 2).joined(separator: "/")
    }

    @Test func `no two modules have a type of one name`() throws {
        var modules: [String: Set<String>] = [:]
        for file in try SourceFiles.swift.get() {
            for type in file.types { modules[type, default: []].insert(Self.module(of: file.path)) }
        }
        #expect(modules.count > 1000)
        for (name, places) in modules where places.count > 1 && Self.homonyms[name] == nil {
            Issue.record("a type '\(name)' is in \(places.sorted().joined(separator: " and in "))")
        }
        for name in Self.homonyms.keys where (modules[name]?.count ?? 0) < 2 {
            Issue.record("'\(name)' is one type only: take it out of the list", severity: .warning)
        }
    }

    @Test func `no type is named for helping, managing or being common`() throws {
        let empty: Set<String> = ["manager", "helper", "helpers", "utility", "utilities", "utils", "common"]
        for file in try SourceFiles.swift.get() {
            for type in file.types {
                let last = SwiftText.words(of: type.split(separator: ".").last ?? "").last ?? ""
                if empty.contains(last) { Issue.record("\(file.path): '\(type)' does not say what it does") }
            }
        }
    }
}
