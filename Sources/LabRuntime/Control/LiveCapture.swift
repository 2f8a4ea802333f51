internal import Capture
internal import CLinux
internal import EventLoop
internal import Glibc
internal import SystemPackage

extension RunningLab {
    /// Writes the frames of a node's interfaces as they pass, as pcapng; returns when it was interrupted, has written
    /// as many as were wanted, its reader has gone, or the lab has ended. Call before any thread exists.
    /// - Parameters:
    ///   - interfaces: their names in the lab; of a box those of its wire side
    ///   - filter: libpcap's language
    ///   - output: where the stream goes
    ///   - report: gets one line for the terminal
    public func capture(
        _ interfaces: [String], of node: String, filter: String?, count: Int?, to output: Int32,
        report: (String) -> Void
    ) throws(LabFailure) {
        let entry = try NodeEntry(to: node, side: .wire, of: self)
        try entry.enterLab()
        var results: [Int32] = [-1, -1]
        guard pipe(&results) == 0 else { throw LabFailure(.lab, "could not make a pipe: \(Errno(rawValue: errno))") }
        // If a parent ignores it, the ends of children are not reported.
        signal(SIGCHLD, SIG_DFL)
        // Below the lab's supervisor, so that its sockets are gone when the lab is.
        let child = cl_fork()
        if child == 0 {
            _ = cl_set_parent_death_signal(SIGTERM)
            close(results[0])
            let points = interfaces.map { CapturePoint(node: node, interface: $0, namespace: entry.network, path: "") }
            let answer = Self.stream(points, filter: filter, count: count, to: output)
            let line = JSONLine.encode(answer)
            _ = write(results[1], line, line.count)
            exit(0)
        }
        close(results[1])
        entry.close()
        guard child > 0 else { throw LabFailure(.lab, "could not start the capture: \(Errno(rawValue: errno))") }
        // These are for the child: a person's Ctrl-C reaches it as well.
        signal(SIGINT, SIG_IGN)
        signal(SIGQUIT, SIG_IGN)
        let answerBytes = Self.everything(from: results[0])
        close(results[0])
        let end = ChildProcess(existing: child).wait()
        guard let answer = try? JSONLine.decode(StreamAnswer.self, from: answerBytes) else {
            guard case .killed = end else { throw LabFailure(.lab, "the capture of \(node) \(end.words)") }
            return report("The lab has ended, and so has the capture.")
        }
        if let failure = answer.failure { throw failure }
        report(answer.words)
    }

    /// The child's message at its end.
    private struct StreamAnswer: Codable {
        var failure: LabFailure?
        var words = ""
    }

    private static func stream(
        _ points: [CapturePoint], filter: String?, count: Int?, to output: Int32
    ) -> StreamAnswer {
        do {
            let loop = try EventLoop()
            let stream = try CaptureStream(points, filter: filter, count: count, to: output, on: loop)
            try loop.handleSignals([SIGINT, SIGTERM, SIGHUP, SIGQUIT]) { _ in stream.stop() }
            let end = try stream.run()
            let dropped = stream.dropped
            let frames = "\(stream.frames) frame\(stream.frames == 1 ? "" : "s")"
            let words = frames + (dropped == 0 ? "" : ", \(dropped.map { "\($0)" } ?? "an unknown number") dropped")
            switch end {
            case .done: return StreamAnswer(words: words)
            case .interfaceGone(let error): return StreamAnswer(failure: LabFailure(.lab, "\(error)"))
            case .unwritable(let error):
                return StreamAnswer(
                    failure: LabFailure(.lab, "the capture could not be written after \(words): \(error)"))
            }
        } catch {
            return StreamAnswer(failure: LabFailure(.lab, "\(error)"))
        }
    }

    private static func everything(from descriptor: Int32) -> [UInt8] {
        var all: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &part, part.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return all }
            all += part[..<count]
        }
    }
}
