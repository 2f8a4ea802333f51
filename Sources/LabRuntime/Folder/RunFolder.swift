internal import Glibc
internal import SystemPackage

/// The folder of one variant's run: everything that remains of a lab.
///
///     lab.yaml              as resolved
///     events.jsonl          faults, elections, synchronisation: one clock, nanoseconds
///     later-events.jsonl    of a lab that was kept up after its run: not evaluated
///     captures/<node>.<interface>.pcap
///     captures.json         frames and kernel drops of each capture
///     counters.json         each box's counters, drop reasons included; of hosts the kernel's own
///     delays.json           when the machine kept processes of the lab from running
///     run.json              start and length; every file's length and digest, and what is missing in which
///     traffic.json          each flow's figures
///     verdict.json
///     logs/<node>.log
///     logs/<node>.<program>.log  of programs, and of traffic programs of kind `command`
///     nodes/<node>/<program>/    a program's files, its working folder
///     logs/<node>.access.jsonl   requests of a balancer's HTTP services
///     logs/<node>.access.later.jsonl   of a lab that was kept up after its run: not evaluated
///
/// What grows with what a lab does has a limit (`FileBounds`): logs, access logs and events keep their first part and
/// their newest one, and a line between them states what is missing.
public struct RunFolder: Hashable, Sendable {
    public let path: String

    public init(_ path: String) { self.path = path }

    public var lab: String { path + "/lab.yaml" }
    public var events: String { path + "/events.jsonl" }
    public var laterEvents: String { path + "/later-events.jsonl" }
    public var captures: String { path + "/captures" }
    public var captureSummaries: String { path + "/captures.json" }
    public var traffic: String { path + "/traffic.json" }
    public var counters: String { path + "/counters.json" }
    public var delays: String { path + "/delays.json" }
    public var run: String { path + "/run.json" }
    public var verdict: String { path + "/verdict.json" }
    public var logs: String { path + "/logs" }

    func folder(of program: String, on node: String) -> String { "\(path)/nodes/\(node)/\(program)" }
    func log(of node: String) -> String { "\(logs)/\(node).log" }
    // Longer than the name of any node, which has 15 characters at most.
    var captureLog: String { log(of: "process-of-captures") }
    var starterLog: String { log(of: "process-of-nodes") }
    func requests(of node: String) -> String { "\(logs)/\(node)\(Self.requestsSuffix)" }
    /// Beside an access log, for what comes after the run.
    static func laterRequests(_ path: String) -> String { path.dropLast(".jsonl".count) + ".later.jsonl" }
    static let requestsSuffix = ".access.jsonl"
    func log(of program: String, on node: String) -> String { "\(logs)/\(node).\(program).log" }

    public var exists: Bool { access(path, F_OK) == 0 }

    /// Makes the folder with its inner folders.
    public func create() throws(LabFailure) {
        for folder in [path, captures, logs] {
            try Self.make(folder)
        }
    }

    /// Makes a folder and those above it.
    public static func make(_ path: String) throws(LabFailure) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += (made.isEmpty || made.hasSuffix("/") ? "" : "/") + part
            guard mkdir(made, 0o755) != 0, errno != EEXIST else { continue }
            throw LabFailure(
                .lab, "the folder '\(path)' cannot be created: \(made): \(Errno(rawValue: errno))",
                remedy: "choose a folder that you may write to with --output DIR")
        }
    }

    /// Writes a whole file; what was there before is replaced only when the new one is complete.
    /// - Throws: `LabFailure` that names the file and the kernel's reason
    public static func write(_ bytes: [UInt8], to path: String) throws(LabFailure) {
        try RunFiles.write(bytes, to: path)
    }
}
