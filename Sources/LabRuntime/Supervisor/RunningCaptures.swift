internal import CLinux
internal import EventLoop
internal import Evidence
internal import Glibc

/// The process that captures every interface of the lab.
final class RunningCaptures {
    private(set) var process: ChildProcess?
    private var channel: LineChannel?
    private(set) var isFinished = false
    var isAlive: Bool { process != nil }

    var onArmed: () -> Void = {}
    var onFinished: ([CaptureSummary]) -> Void = { _ in }
    var onFailed: (LabFailure) -> Void = { _ in }
    /// The process has ended by itself.
    var onGone: () -> Void = {}

    /// - Parameter points: where to capture; their namespaces are descriptors of this process
    init(
        _ points: [(node: String, interface: String, namespace: Int32)], folder: RunFolder, log: Int32, null: Int32,
        loop: EventLoop
    ) throws(LabFailure) {
        var pair = try SocketPair()
        var descriptors = [null, log, log, pair.theirs]
        var inherited: [Int32: Int32] = [:]
        let jobs = points.map { point in
            let namespace = inherited[point.namespace] ?? Int32(descriptors.count)
            if inherited.updateValue(namespace, forKey: point.namespace) == nil { descriptors.append(point.namespace) }
            let name = "\(point.node).\(point.interface).pcap"
            return CaptureJob(
                node: point.node, interface: point.interface, namespace: namespace, path: "\(folder.captures)/\(name)",
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
            [HiddenVerb.capture.rawValue], descriptors: descriptors, parentDeathSignal: SIGKILL)
        channel?.send(JSONLine.encode(CaptureOrder.arm(jobs)))
    }

    func drain() { channel?.send(JSONLine.encode(CaptureOrder.drain)) }

    private func received(_ line: [UInt8]) {
        switch try? JSONLine.decode(CaptureReport.self, from: line) {
        case .armed: onArmed()
        case .finished(let summaries):
            isFinished = true
            onFinished(summaries)
        case .failed(let failure): onFailed(failure)
        case nil: onFailed(LabFailure(.lab, "the captures said what this version does not understand"))
        }
    }
}
