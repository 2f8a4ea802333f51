internal import CLinux
internal import Capture
public import EventLoop
internal import Glibc
internal import SystemPackage
public import Topology

/// A lab that this command has started: one variant, its warden, and the channel to its supervisor.
public final class LabProcess {
    public let running: RunningLab
    public let variant: Variant
    public let folder: RunFolder
    private let warden: ChildProcess
    private var channel: LineChannel?
    private let loop: EventLoop
    private var hasEnded = false
    /// How long a supervisor may take to complete captures and end.
    private static let graceAfterStop = Duration.seconds(5)
    /// The last report of the supervisor: `finished` or `failed`.
    public private(set) var outcome: SupervisorReport?

    /// Called for each message of the supervisor, as it arrives.
    public var onReport: (SupervisorReport) -> Void = { _ in }
    /// The kernel has reclaimed the lab; `outcome` is how it ended.
    public var onEnd: () -> Void = {}

    /// Starts the lab.
    /// - Parameters:
    ///   - folder: the variant's run folder; it is made
    ///   - captureLimit: bytes that all captures may hold together
    public init(
        _ variant: Variant, of lab: String, folder: RunFolder, task: LabTask, captureLimit: Int, on loop: EventLoop
    ) throws(LabFailure) {
        self.variant = variant
        self.folder = folder
        self.loop = loop
        try folder.create()
        try RunFolder.write(Array(variant.resolvedYAML.utf8), to: folder.lab)
        let (running, listener) = try RunningLab.listen(lab: lab, variant: variant.name)
        self.running = running
        defer { close(listener) }
        var pair = try SocketPair()
        let null = try NullDevice.open(O_RDWR)
        defer { close(null) }
        let log = try RunFiles.openToAppend(folder.logs + "/lab.log")
        defer { close(log) }
        warden = try ChildProcess(
            [HiddenVerb.warden.rawValue, task.isPersistent ? "persistent" : "bound"],
            descriptors: [null, log, log, pair.theirs, listener], newSession: true)
        do {
            channel = try LineChannel(pair.takeOurs(), limits: .ownProcesses, on: loop) { [weak self] line in
                self?.received(line)
            } onClose: { [weak self] in
                self?.channel = nil
            }
        } catch {
            throw LabFailure(.lab, "the supervisor's channel could not be opened: \(error)")
        }
        let assignment = LabAssignment(
            variant: variant, folder: folder.path, id: running.id, task: task, command: getpid(),
            captureLimit: CaptureLimit(bytes: captureLimit, policy: task.capturePolicy))
        send(.build(assignment))
    }

    func send(_ order: SupervisorOrder) { channel?.send(JSONLine.encode(order)) }

    /// Begins the scenario of a lab that has reported `ready`.
    public func play() { send(.play) }

    /// Takes a lab down that has reported `finished`.
    public func takeDown() { send(.takeDown) }

    /// Asks for an orderly end: captures are completed first.
    public func stop() { send(.stop) }

    /// Ends it at once; captures stay readable up to their last flush.
    public func kill() {
        outcome = outcome ?? .failed(LabFailure(.interrupted, "ended at once"))
        warden.signal(SIGKILL)
    }

    /// Ends it because it took too long; `outcome` has this reason.
    /// - Parameter isWish: the limit was an option; otherwise something is wrong with the lab
    public func giveUp(after limit: Duration, isWish: Bool) {
        var failure = LabFailure(
            isWish ? .undecided : .lab, "it took longer than \(limit)", remedy: "raise the limit with --timeout")
        failure.isLimit = isWish
        outcome = .failed(failure)
        stop()
        // A supervisor or warden that hangs reads nothing. Both, and with them all of the lab, end with the warden.
        loop.schedule(after: Self.graceAfterStop + .milliseconds(10) * variant.nodes.count) { [weak self] in
            if let self, !hasEnded { warden.signal(SIGKILL) }
        }
    }

    /// Detaches a lab that stays up.
    public func release() { channel?.close() }

    /// - Returns: whether the process was this lab's warden
    public func childEnded(_ pid: Int32) -> Bool {
        guard pid == warden.pid else { return false }
        hasEnded = true
        channel?.drainAndClose()
        if outcome == nil {
            outcome = .failed(
                LabFailure(
                    .lab, "the lab's supervisor was ended from outside", remedy: "its log: \(folder.logs)/lab.log"))
        }
        onEnd()
        return true
    }

    private func received(_ line: [UInt8]) {
        guard let report = try? JSONLine.decode(SupervisorReport.self, from: line) else { return }
        switch report {
        case .finished, .failed: outcome = outcome ?? report
        default: break
        }
        onReport(report)
    }
}
