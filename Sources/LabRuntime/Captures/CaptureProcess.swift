internal import Capture
internal import CLinux
internal import EventLoop
internal import Glibc
internal import LabTime
internal import SystemPackage

/// The process that captures every interface of a lab. Descriptors: 3 the channel to the supervisor, 4 a socket on which
/// the network namespaces come, in portions: there may be more of them than a process can be started with.
final class CaptureProcess {
    static let controlDescriptor: Int32 = 3
    static let namespacesDescriptor: Int32 = 4
    /// Network namespaces that pass at once: as many descriptors as the kernel takes with one message.
    static let mostAtOnce = 253
    private static let flushInterval = CaptureSettings().flushInterval
    /// How often the supervisor gets the sizes of the files.
    private static let volumeInterval = Duration.seconds(1)

    private let loop: EventLoop
    private var channel: LineChannel!
    private var session: CaptureSession?
    private var lastVolume: (volume: CaptureVolume, time: Instant)?

    static func run() -> Never {
        cl_set_process_name("fl-captures")
        cl_raise_descriptor_limit()
        do {
            let process = try CaptureProcess()
            process.loop.run()
        } catch {
            exit(3)
        }
        exit(0)
    }

    private init() throws {
        loop = try EventLoop()
        channel = try LineChannel(Self.controlDescriptor, limits: .ownProcesses, on: loop) { [unowned self] line in
            received(line)
        } onClose: {
            exit(0)
        }
    }

    private func received(_ line: [UInt8]) {
        do {
            switch try JSONLine.decode(CaptureOrder.self, from: line) {
            case .arm(let assignment): try arm(assignment)
            case .drain: try drain()
            }
        } catch let error as CaptureError {
            fail(LabFailure(.lab, "\(error)"))
        } catch {
            fail(LabFailure(.lab, "the capture process: \(error)"))
        }
    }

    private func arm(_ assignment: CaptureAssignment) throws {
        let namespaces = try receiveNamespaces(assignment.namespaces)
        defer {
            // They are held by the supervisor, and by the captures' own sockets.
            for namespace in namespaces { close(namespace) }
        }
        let session = try CaptureSession(
            assignment.jobs.map {
                CapturePoint(
                    node: $0.node, interface: $0.interface, namespace: namespaces[$0.namespace], path: $0.path,
                    reportedPath: $0.relativePath)
            }, settings: CaptureSettings(snapLength: assignment.snapshotLength, limit: assignment.limit))
        self.session = session
        try session.barrier(nonce: 1, timeout: Self.timeout(captures: session.points.count))
        for (position, descriptor) in session.fileDescriptors.enumerated() {
            try loop.watch(descriptor) { [unowned self] _ in read(position) }
        }
        flushAgain()
        report(.armed)
    }

    private func receiveNamespaces(_ count: Int) throws(LabFailure) -> [Int32] {
        var namespaces: [Int32] = []
        var portion = [Int32](repeating: -1, count: Self.mostAtOnce)
        while namespaces.count < count {
            let received = cl_receive_descriptors(Self.namespacesDescriptor, &portion, Int32(portion.count))
            guard received > 0 else {
                let reason = received < 0 ? "\(Errno(rawValue: -received))" : "none came"
                throw LabFailure(
                    .lab, "the capture process could not take over the lab's namespaces: \(reason)",
                    remedy: "a process may have too few open files (ulimit -n)")
            }
            namespaces += portion.prefix(Int(received))
        }
        return namespaces
    }

    /// How long sentinels may take on a busy machine before the captures count as broken.
    private static func timeout(captures: Int) -> Duration { .seconds(20) + .milliseconds(20 * captures) }

    private func read(_ position: Int) {
        do {
            try session?.readable(position)
        } catch {
            fail(LabFailure(.lab, "\(error)"))
        }
    }

    /// On a schedule: a process that is killed leaves readable files that lack no more than the last interval.
    private func flushAgain() {
        loop.schedule(after: Self.flushInterval) { [unowned self] in
            guard let session else { return }
            do {
                try session.flush()
            } catch {
                fail(LabFailure(.lab, "\(error)"))
            }
            reportVolume(session.volume)
            flushAgain()
        }
    }

    private func reportVolume(_ volume: CaptureVolume) {
        let now = loop.now
        if let lastVolume, lastVolume.volume == volume || now - lastVolume.time < Self.volumeInterval { return }
        lastVolume = (volume, now)
        report(.volume(volume))
    }

    private func drain() throws {
        guard let session else { return report(.finished([])) }
        for descriptor in session.fileDescriptors { loop.unwatch(descriptor) }
        try session.barrier(nonce: 2, timeout: Self.timeout(captures: session.points.count))
        self.session = nil
        report(.finished(session.finish()))
    }

    private func fail(_ failure: LabFailure) { report(.failed(failure)) }

    private func report(_ report: CaptureReport) { channel.send(JSONLine.encode(report)) }
}
