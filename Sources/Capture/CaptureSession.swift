public import Evidence
internal import Glibc

/// The captures of all interfaces of a lab, each into a nanosecond pcap file of its own.
///
/// The caller's event loop drives it, on one thread: it watches `fileDescriptors`, calls `readable(_:)` with the
/// position of each descriptor that is readable, and `flush()` every `CaptureSettings.flushInterval`, so that
/// captures of quiet interfaces reach their files too.
public final class CaptureSession {
    public let points: [CapturePoint]
    private let captures: [LiveCapture]
    private var summaries: [CaptureSummary]?

    /// Opens all captures at the same time; every interface must be up.
    ///
    /// - Throws: the first error in the order of `points`; then none is open, and the files that were created are
    ///   empty captures.
    /// - Complexity: some 15 ms for one capture, and little more for twenty
    public init(_ points: [CapturePoint], settings: CaptureSettings = CaptureSettings()) throws(CaptureError) {
        self.points = points
        var opened: [Result<PacketRing, CaptureError>] = []
        do {
            opened = try ParallelThreads.map(points.count) { PacketRing.open(points[$0], settings) }
        } catch {
            throw CaptureError(.cannotOpenInterface, errno: error, detail: "no thread can be started")
        }
        var captures: [LiveCapture] = []
        do throws(CaptureError) {
            for (number, point) in points.enumerated() {
                let ring = try opened[number].get()
                let writer: CaptureFileWriter
                do { writer = try CaptureFileWriter.create(path: point.path, snapLength: settings.snapLength) } catch {
                    throw CaptureError(
                        .cannotCreateFile, capture: "\(point.node).\(point.interface)", path: point.path, errno: error)
                }
                captures.append(
                    LiveCapture(point: point, ring: ring, writer: writer, number: number, settings: settings))
            }
        } catch {
            PacketRing.close(opened.compactMap { try? $0.get() })
            throw error
        }
        self.captures = captures
    }

    deinit { if summaries == nil { close() } }

    /// A descriptor for each point, in their order. Unwatch them before `finish`, which closes them.
    public var fileDescriptors: [Int32] { captures.map(\.ring.descriptor) }

    /// Takes frames from a ring that is readable. Call it again when the descriptor is still readable.
    ///
    /// An interface that goes down ends nothing: its capture goes on when it comes up again.
    /// - Returns: the number of frames taken, sentinels included
    /// - Throws: once for each capture, where its file cannot be written or its interface is gone. The other captures
    ///   go on; the file stays readable; frames that could not be written count as dropped.
    @discardableResult
    public func readable(_ position: Int) throws(CaptureError) -> Int { try captures[position].read() }

    /// Writes what is buffered into the files.
    /// - Throws: the first error, after all were tried; as `readable(_:)`, once for each capture
    public func flush() throws(CaptureError) {
        var first: CaptureError?
        for capture in captures {
            do { try capture.flush() } catch { first = first ?? error }
        }
        if let first { throw first }
    }

    /// Why a capture ended early or lost frames; nil where it did not.
    public func failure(of position: Int) -> CaptureError? { captures[position].failure }

    /// Errors of all captures that have one.
    public var failures: [CaptureError] { captures.compactMap(\.failure) }

    /// Takes what the kernel has captured until now, writes it, and ends captures and files. Later calls return the
    /// same. The kernel takes the rings back within some 30 ms, on threads for which this does not wait.
    ///
    /// `dropped` counts what the kernel had no room for, and what could not be written.
    /// - Complexity: one block timeout at most
    public func finish() -> [CaptureSummary] {
        if let summaries { return summaries }
        for capture in captures { capture.awaitDeliveredFrames() }
        // A block that is not full is handed over after the block timeout; the bound is for a kernel that never does.
        _ = readUntilNonePending(before: .now + .seconds(1))
        let summaries = captures.map { $0.summarize() }
        self.summaries = summaries
        close()
        return summaries
    }

    // MARK: Barrier

    /// Sends a sentinel frame through every interface. `pendingSentinels` becomes empty when each capture has seen
    /// its own, and so every frame that came before it. Sentinels reach no file.
    ///
    /// An interface that is down cannot send: its capture is pending until as many frames were taken from its ring as
    /// the kernel counted into it.
    /// - Parameter nonce: differs from those of earlier barriers. Where a barrier takes longer than some 40 ms, send
    ///   again with the same: a full ring drops a sentinel, and so does a link whose carrier the kernel has yet to
    ///   notice.
    public func sendSentinels(nonce: UInt64) throws(CaptureError) {
        for capture in captures { try capture.sendSentinel(nonce: nonce) }
    }

    /// Positions of the captures that have not yet seen their sentinel.
    public var pendingSentinels: [Int] { captures.indices.filter { captures[$0].isPending } }

    /// Sends sentinels and reads all captures until each has seen its own: for callers without an event loop, or
    /// with nothing else to do meanwhile. Once it returns, all that was captured before the call is in the files.
    /// - Throws: `.barrierTimedOut`; the errors of single captures are in `failures`
    public func barrier(nonce: UInt64, timeout: Duration = .seconds(5)) throws(CaptureError) {
        let deadline = ContinuousClock.now + timeout
        var isFirst = true
        repeat {
            // A sentinel that is lost is replaced: a full ring drops it, and so does a link whose carrier the kernel
            // has yet to notice, a moment after both ends were set up.
            for capture in captures where isFirst || capture.isPending { try capture.sendSentinel(nonce: nonce) }
            isFirst = false
            if readUntilNonePending(before: min(deadline, .now + .milliseconds(40))) {
                for capture in captures { try? capture.flush() }
                return
            }
        } while ContinuousClock.now < deadline
        let names = pendingSentinels.map { captures[$0].name }.joined(separator: ", ")
        throw CaptureError(.barrierTimedOut, capture: names)
    }

    /// - Returns: false where the time is over first
    private func readUntilNonePending(before deadline: ContinuousClock.Instant) -> Bool {
        var polls = fileDescriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while true {
            for capture in captures { _ = try? capture.read() }
            if captures.allSatisfy({ !$0.isPending }) { return true }
            if ContinuousClock.now >= deadline { return false }
            _ = poll(&polls, nfds_t(polls.count), 20)
        }
    }

    private func close() { PacketRing.close(captures.map(\.ring)) }
}
