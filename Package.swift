// swift-tools-version: 6.2
import PackageDescription

// Modules in the order in which they may import each other; ARCHITECTURE.md lists them.
// The pure modules do no I/O, read no clock and draw no random number.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// Modules on the path of every frame: views that borrow their bytes need lifetimes.
let hot: [SwiftSetting] = strict + [.enableExperimentalFeature("Lifetimes")]

/// Boxes that are broken on purpose, for `scripts/mutants` alone; without it the switch is the constant `false`.
let hasMutants = Context.environment["FAILOVERLAB_MUTANTS"] != nil

func module(_ name: String, _ dependencies: [Target.Dependency] = [], _ settings: [SwiftSetting] = strict) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// Tests that hardly calculate are not optimised: that takes about half the processor time to compile (measured:
/// `EndToEndTests` 33 s instead of 72 s, `TopologyTests` 41 s instead of 65 s). What they test is optimised all the same.
let waiting: [SwiftSetting] = strict + [.unsafeFlags(["-Onone"])]

/// - Parameters:
///   - texts: files and folders that the tests read from the sources
///   - isOptimized: of tests that simulate, fuzz or count allocations
func tests(
    _ module: String, _ more: [Target.Dependency] = [], texts: [String] = [], isOptimized: Bool = false
) -> Target {
    .testTarget(
        name: "\(module)Tests", dependencies: [.byName(name: module), "TestSupport"] + more, exclude: texts,
        swiftSettings: isOptimized ? strict : waiting)
}

let stateMachineTexts = ["Election/Scripts", "Election/Table.txt", "ConfigurationSync/Table.txt"]
let exchangeTexts = ["Scripts", "Table.txt"]
let flowTexts = ["Tables"]

let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let tls = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
]
let nioTLS: [Target.Dependency] = [
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
    .product(name: "NIOTLS", package: "swift-nio"),
    .product(name: "NIOEmbedded", package: "swift-nio"),
]
/// TLS over bytes that come from elsewhere than a socket of SwiftNIO's.
let tlsOnBytes: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOEmbedded", package: "swift-nio"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
]

/// The command is linked with Swift's runtime inside, so that a lab's processes start within 2 ms, while tests need the
/// shared one: both come from one compilation this way. `--static-swift-stdlib` would compile everything a second time.
let staticRuntime: LinkerSetting = .unsafeFlags(
    ["-static-stdlib", "-Xlinker", "--start-group"]
        + [
            "Foundation", "FoundationInternationalization", "FoundationEssentials", "CoreFoundation", "_FoundationICU",
            "_FoundationCShims", "_FoundationCollections", "dispatch", "BlocksRuntime", "swiftDispatch",
            "swiftSynchronization", "swift_StringProcessing", "swift_RegexParser", "swift_Concurrency", "stdc++",
        ].map { "-l\($0)" }
        + ["-Xlinker", "--end-group"])

let package = Package(
    name: "failoverlab",
    products: [
        .executable(name: "failoverlab", targets: ["failoverlab"]),
        // For benchmarks and for whoever builds on the modules; the command itself is the stable interface.
        .library(
            name: "FailoverLab",
            targets: [
                "LabTime", "Mutants", "LabEvents", "Wire", "Dataplane", "Redundancy", "Impairment", "Measurement",
                "TrafficModel", "Configuration", "HTTPExchange", "Appliances", "PacketText", "VirtualNetwork",
                "Evidence", "Expectation",
                "Integrity", "RegularFile", "OCIImage", "LabFile", "Topology", "Scenario", "Report", "EventLoop",
                "Netlink",
                "PacketIO", "Capture", "Traffic", "HostSide",
                "LabRuntime",
            ]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    ],
    targets: [
        // The C boundary
        .target(name: "CLinux"),
        .target(name: "CMemory"),
        .systemLibrary(name: "CNetlink", pkgConfig: "libmnl", providers: [.apt(["libmnl-dev"])]),
        .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),

        // Pure modules
        module("LabTime"),
        module("Mutants", [], strict + (hasMutants ? [.define("MUTANTS")] : [])),
        module("LabEvents"),
        module("Wire", ["Mutants"], hot),
        module("Dataplane", ["Wire", "LabEvents", "LabTime", "Mutants", "CMemory"], hot),
        module("Redundancy", ["Dataplane", "Wire", "LabEvents", "LabTime", "Mutants"], hot),
        module("Impairment", ["Dataplane", "Wire", "LabEvents", "LabTime", heap], hot),
        module("Measurement", ["Wire", "LabTime"]),
        module("TrafficModel", ["Measurement", "Wire", "LabTime"]),
        module("Configuration", ["Measurement", "Impairment", "Dataplane", "Wire"]),
        module("HTTPExchange", ["Configuration", "Wire", "LabEvents", "LabTime"]),
        module(
            "Appliances",
            ["Configuration", "Impairment", "Redundancy", "Dataplane", "Wire", "LabEvents", "LabTime", "Mutants"], hot),
        module("PacketText", ["Wire"], hot),
        module(
            "VirtualNetwork", ["PacketText", "Appliances", "Impairment", "Dataplane", "Wire", "LabEvents", "LabTime"]),
        module("Evidence", ["Measurement", "LabEvents", "LabTime"]),
        module("Expectation", ["Evidence", "Measurement", "Wire", "LabEvents", "LabTime"]),
        module("Integrity", ["Expectation", "Evidence", "Wire", "LabTime"]),
        module("RegularFile"),
        module("OCIImage", ["RegularFile"]),
        module("LabFile", ["RegularFile", yams]),
        module(
            "Topology",
            [
                "LabFile", "OCIImage", "Expectation", "Measurement", "Appliances", "Configuration", "Impairment",
                "Dataplane", "Wire", "LabEvents", "LabTime",
            ]),
        module(
            "Scenario",
            [
                "Topology", "LabFile", "Expectation", "Evidence", "Measurement", "Appliances", "Configuration",
                "Impairment", "LabEvents", "LabTime",
            ]),
        module("Report", ["Integrity", "Expectation", "Evidence", "Measurement", "LabEvents", "LabTime", mustache]),

        // Modules that touch the kernel
        module("EventLoop", ["CLinux", "LabTime", systemPackage, heap]),
        module("Netlink", ["CNetlink", "CLinux", "Wire", systemPackage]),
        module(
            "PacketIO",
            ["Appliances", "Dataplane", "Wire", "LabEvents", "LabTime", "EventLoop", "CLinux", systemPackage], hot),
        module("Capture", ["Evidence", "LabTime", "EventLoop", "CPcap", "CLinux", systemPackage]),
        // Apart from Traffic: SwiftNIO's own view of the socket API would get in the way of the system's there.
        module("TLSSession", tlsOnBytes),
        module(
            "Traffic",
            ["TrafficModel", "Measurement", "Wire", "LabTime", "EventLoop", "TLSSession", systemPackage] + nio),
        module(
            "HostSide",
            [
                "HTTPExchange", "Configuration", "Dataplane", "Wire", "LabEvents", "LabTime", "Mutants", "RegularFile",
                "EventLoop", "CLinux",
                systemPackage, heap,
            ]
                + nio + nioTLS),
        module(
            "LabRuntime",
            [
                "Scenario", "Topology", "LabFile", "OCIImage", "RegularFile", "Integrity", "Evidence", "Measurement",
                "Appliances",
                "Configuration", "Impairment", "Redundancy", "Dataplane", "Wire", "LabEvents", "LabTime", "Mutants",
                "EventLoop",
                "Netlink", "PacketIO", "Capture", "Traffic", "HostSide", "CLinux",
                systemPackage,
            ]),
        .executableTarget(
            name: "failoverlab",
            dependencies: [
                "LabRuntime", "HostSide", "Report", "Topology", "LabFile", "Integrity", "Expectation", "Evidence",
                "Capture", "Configuration",
                "Appliances", "LabTime", "Mutants", "EventLoop", "CLinux", argumentParser,
            ],
            swiftSettings: strict, linkerSettings: [staticRuntime]),

        // Tests
        .target(name: "TestSupport", dependencies: [], path: "Tests/Support", swiftSettings: strict),
        .target(name: "TestTexts", dependencies: ["TestSupport"], path: "Tests/Texts", swiftSettings: strict),
        .target(name: "MallocCounter", path: "Tests/MallocCounter"),
        .executableTarget(name: "escapes", path: "Tests/Escapes"),
        .executableTarget(name: "census", dependencies: ["CLinux"], path: "Tests/Census", swiftSettings: strict),
        tests("LabTime"),
        tests("Mutants"),
        tests("LabEvents"),
        tests("Wire", isOptimized: true),
        tests("OCIImage"),
        tests("LabFile"),
        tests(
            "Topology",
            [
                "LabFile", "Expectation", "Measurement", "Appliances", "Configuration", "Impairment", "Dataplane",
                "Wire", "LabEvents", "LabTime",
            ]),
        tests(
            "Scenario",
            ["Topology", "Measurement", "Appliances", "Configuration", "Impairment", "LabEvents", "LabTime"]),
        tests("Evidence", ["Measurement", "LabTime"]),
        tests("Expectation", ["Evidence", "Measurement", "Wire", "LabEvents", "LabTime"]),
        tests("Integrity", ["Expectation", "Evidence", "Wire", "LabTime"]),
        tests("Report", ["Expectation", "Evidence", "Measurement", "Wire", "LabTime"]),
        tests("Dataplane", ["Wire", "LabEvents", "LabTime"], isOptimized: true),
        tests(
            "Redundancy", ["TestTexts", "Dataplane", "Wire", "LabEvents", "LabTime"],
            texts: stateMachineTexts, isOptimized: true),
        tests("Impairment", ["Dataplane", "Wire", "LabEvents", "LabTime"], isOptimized: true),
        tests(
            "Appliances",
            [
                "VirtualNetwork", "PacketText", "MallocCounter", "Configuration", "Impairment", "Redundancy",
                "Dataplane", "Wire", "LabEvents", "LabTime",
            ], isOptimized: true),
        tests("PacketText", ["Wire"]),
        tests(
            "VirtualNetwork", ["PacketText", "Appliances", "Impairment", "Dataplane", "Wire", "LabEvents", "LabTime"],
            isOptimized: true),
        tests("Measurement", ["Wire", "LabTime"]),
        tests("TrafficModel", ["TestTexts", "Measurement", "Wire", "LabTime"], texts: flowTexts),
        tests("Traffic", ["TrafficModel", "Measurement", "EventLoop", "Wire", "LabTime"]),
        tests(
            "HTTPExchange", ["TestTexts", "Configuration", "Wire", "LabEvents", "LabTime"], texts: exchangeTexts),
        tests(
            "HostSide",
            ["Appliances", "HTTPExchange", "Configuration", "EventLoop", "CLinux", "Wire", "LabEvents", "LabTime"] + nio
                + [tls]),
        tests(
            "PacketIO", ["Appliances", "Dataplane", "Netlink", "EventLoop", "Wire", "LabEvents", "LabTime", "CLinux"],
            isOptimized: true),
        tests("Netlink", ["Wire", systemPackage]),
        tests("Capture", ["Netlink", "Evidence", "EventLoop", "LabTime", "Wire", "CLinux", systemPackage]),
        tests("EventLoop", ["CLinux", "LabTime"]),
        tests("LabRuntime", ["Topology", "Configuration", "Evidence", "Netlink", "Wire", "LabEvents", "LabTime"]),
        .testTarget(name: "TidyTests", dependencies: ["TestSupport"], swiftSettings: waiting),
        // They run the built command and the census; a dependency on the command would link its runtime into the tests.
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "TestSupport", "CLinux", "Configuration", "Topology", "LabFile", "LabRuntime", "Capture", "Expectation",
                "Evidence",
                "Measurement", "LabEvents", "LabTime",
            ], swiftSettings: waiting),
    ]
        + (hasMutants
            ? [
                .executableTarget(
                    name: "mutants", dependencies: ["LabFile", "Mutants"], path: "Tests/Mutants", swiftSettings: strict)
            ] : [])
)
