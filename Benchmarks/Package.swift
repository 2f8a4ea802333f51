// swift-tools-version: 6.2
import PackageDescription

// Apart from the main package, so that nobody who only runs labs builds benchmarks.

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// As the command itself is linked, so that what is measured is what runs in a lab.
let staticRuntime: LinkerSetting = .unsafeFlags(
    ["-static-stdlib", "-Xlinker", "--start-group"]
        + [
            "Foundation", "FoundationInternationalization", "FoundationEssentials", "CoreFoundation", "_FoundationICU",
            "_FoundationCShims", "_FoundationCollections", "dispatch", "BlocksRuntime", "swiftDispatch",
            "swiftSynchronization", "swift_StringProcessing", "swift_RegexParser", "swift_Concurrency", "stdc++",
        ].map { "-l\($0)" }
        + ["-Xlinker", "--end-group"])

let package = Package(
    name: "failoverlab-benchmarks",
    dependencies: [
        .package(name: "failoverlab", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        // What the boxes are measured against, and what feeds them all.
        .target(name: "CForwarders"),
        .executableTarget(
            name: "failoverlab-bench",
            dependencies: [
                "CForwarders",
                .product(name: "FailoverLab", package: "failoverlab"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings, linkerSettings: [staticRuntime]),
    ]
)
