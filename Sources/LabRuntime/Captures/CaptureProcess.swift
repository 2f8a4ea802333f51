internal import Capture
internal import CLinux
internal import EventLoop
internal import Glibc
internal import LabTime

/// The process that captures every interface of a lab. Descriptors: 3 the channel to the supervisor, from 4 on the
/// network namespaces that the jobs name.
final class CaptureProcess {
    static let controlDescriptor: Int32 = 3
    private static let flushInterval = CaptureSettings().flushInterval
    /// How long sentinels may take on a busy machine before the captures count as broken.
    private static let patience = Duration.seconds(20)

    private let loop: EventLoop
    private var channel: LineChannel!
    private var session: CaptureSession?

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
            case .arm(let jobs): try arm(jobs)
            case .drain: try drain()
            }
        } catch let error as CaptureError {
            fail(LabFailure(.lab, "\(error)"))
        } catch {
            fail(LabFailure(.lab, "the capture process: \(error)"))
        }
    }

    private func arm(_ jobs: [CaptureJob]) throws {
        let session = try CaptureSession(
            jobs.map {
                CapturePoint(
                    node: $0.node, interface: $0.interface, namespace: $0.namespace, path: $0.path,
                    reportedPath: $0.relativePath)
            })
        self.session = session
        // The namespaces are held by the supervisor, and by the captures' own sockets.
        for namespace in Set(jobs.map(\.namespace)) { close(namespace) }
        try session.barrier(nonce: 1, timeout: Self.patience)
        for (position, descriptor) in session.fileDescriptors.enumerated() {
            try loop.watch(descriptor) { [unowned self] _ in read(position) }
        }
        flushAgain()
        report(.armed)
    }

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
            flushAgain()
        }
    }

    private func drain() throws {
        guard let session else { return report(.finished([])) }
        for descriptor in session.fileDescriptors { loop.unwatch(descriptor) }
        try session.barrier(nonce: 2, timeout: Self.patience)
        self.session = nil
        report(.finished(session.finish()))
    }

    private func fail(_ failure: LabFailure) { report(.failed(failure)) }

    private func report(_ report: CaptureReport) { channel.send(JSONLine.encode(report)) }
}
