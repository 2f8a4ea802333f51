public import Foundation

/// A program run to its end, with what it printed.
public struct CommandResult: Sendable {
    /// The exit code, or 128 + the signal that killed it.
    public var status: Int32
    public var output: String
    public var errors: String
}

/// Runs programs for tests; output goes through files, so that nothing blocks on a full pipe.
public final class Command {
    public let process = Process()
    private let folder: URL

    /// - Parameters:
    ///   - path: the program; its arguments follow
    ///   - directory: its working directory
    public init(_ path: String, _ arguments: [String], in directory: String? = nil, environment: [String: String] = [:])
        throws
    {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("failoverlab-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        if !environment.isEmpty {
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try file("output")
        process.standardError = try file("errors")
    }

    public func start() throws { try process.run() }

    /// Waits for the end and returns what was printed.
    public func finish() -> CommandResult {
        process.waitUntilExit()
        defer { try? FileManager.default.removeItem(at: folder) }
        let status = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
        return CommandResult(status: status, output: text("output"), errors: text("errors"))
    }

    public static func run(
        _ path: String, _ arguments: [String], in directory: String? = nil, environment: [String: String] = [:]
    ) throws -> CommandResult {
        let command = try Command(path, arguments, in: directory, environment: environment)
        try command.start()
        return command.finish()
    }

    private func file(_ name: String) throws -> FileHandle {
        let url = folder.appendingPathComponent(name)
        try Data().write(to: url)
        return try FileHandle(forWritingTo: url)
    }

    private func text(_ name: String) -> String {
        (try? Data(contentsOf: folder.appendingPathComponent(name))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}

/// Where the programs and files of this package are.
public enum Package {
    /// The folder with `Package.swift`.
    public static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// A product of the same build as the running tests.
    public static func product(_ name: String) -> String {
        let runner =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: runner).deletingLastPathComponent().appendingPathComponent(name).path
    }

    public static let failoverlab = product("failoverlab")

    /// The first of these folders of programs that has it.
    public static func tool(_ name: String) -> String? {
        ["/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"].map { $0 + name }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }
}

/// A folder that is removed with this value.
public final class TemporaryFolder: Sendable {
    public let path: String

    public init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("failoverlab-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
