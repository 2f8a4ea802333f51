internal import CLinux
internal import Capture
internal import EventLoop
internal import Evidence
internal import Glibc
internal import SystemPackage

/// The process that captures every interface of the lab.
final class RunningCaptures {
    private(set) var process: ChildProcess?
    private var channel: LineChannel?
    /// Once they are complete.
    private(set) var summaries: [CaptureSummary] = []
    private(set) var isFinished = false
    var isAlive: Bool { process != nil }
    let count: Int
    /// What the files held when the process reported last.
    private(set) var volume: CaptureVolume?

    var onArmed: () -> Void = {}
    var onFinished: ([CaptureSummary]) -> Void = { _ in }
    var onFailed: (LabFailure) -> Void = { _ in }
    /// The process has ended by itself.
    var onGone: () -> Void = {}

    /// - Parameters:
    ///   - points: where to capture; their namespaces are descriptors of this process
    ///   - snapshotLength: bytes of a frame that are kept
    init(
        _ points: [(node: String, interface: String, namespace: Int32)], snapshotLength: Int, limit: CaptureLimit,
        folder: RunFolder, log: Int32, null: Int32, loop: EventLoop
    ) throws(LabFailure) {
        count = points.count
        var pair = try SocketPair()
        var passing = try SocketPair()
        var namespaces: [Int32] = []
        var numbers: [Int32: Int] = [:]
        let jobs = points.map { point in
            let number = numbers[point.namespace] ?? namespaces.count
            if numbers.updateValue(number, forKey: point.namespace) == nil { namespaces.append(point.namespace) }
            let name = "\(point.node).\(point.interface).pcap"
            return CaptureJob(
                node: point.node, interface: point.interface, namespace: number, path: "\(folder.captures)/\(name)",
                relativePath: "captures/\(name)")
        }
        do {
            channel = try LineChannel(pair.takeOurs(), limits: .ownProcesses, on: loop) { [unowned self] line in
                received(line)
            } onClose: { [unowned self] in
                process = nil
                onGone()
            }
        } catch {
            throw LabFailure(.lab, "the captures' channel could not be opened: \(error)")
        }
        process = try ChildProcess(
            [HiddenVerb.capture.rawValue], descriptors: [null, log, log, pair.theirs, passing.theirs],
            parentDeathSignal: SIGKILL)
        let socket = passing.takeOurs()
        defer { close(socket) }
        try Self.send(namespaces, through: socket)
        channel?.send(
            JSONLine.encode(
                CaptureOrder.arm(
                    CaptureAssignment(
                        jobs: jobs, namespaces: namespaces.count, snapshotLength: snapshotLength, limit: limit))))
    }

    /// They wait in the socket until the process takes them.
    private static func send(_ namespaces: [Int32], through socket: Int32) throws(LabFailure) {
        var rest = namespaces[...]
        while !rest.isEmpty {
            let portion = Array(rest.prefix(CaptureProcess.mostAtOnce))
            let sent = cl_send_descriptors(socket, portion, Int32(portion.count))
            guard sent == portion.count else {
                throw LabFailure(
                    .lab, "the lab's namespaces could not be handed to the captures: \(Errno(rawValue: -sent))")
            }
            rest = rest.dropFirst(portion.count)
        }
    }

    func drain() { channel?.send(JSONLine.encode(CaptureOrder.drain)) }

    private func received(_ line: [UInt8]) {
        switch try? JSONLine.decode(CaptureReport.self, from: line) {
        case .armed: onArmed()
        case .finished(let summaries):
            isFinished = true
            self.summaries = summaries
            onFinished(summaries)
        case .failed(let failure): onFailed(failure)
        case .volume(let volume): self.volume = volume
        case nil: onFailed(LabFailure(.lab, "the capture process sent a message that this version does not understand"))
        }
    }
}
