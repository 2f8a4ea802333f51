// swift-tools-version: 6.2
import PackageDescription

// Apart from the main package, so that nobody who only runs labs builds benchmarks.

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

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
            swiftSettings: settings),
    ]
)
