internal import CLinux
internal import EventLoop
internal import Evidence
internal import Glibc
internal import LabTime
internal import SystemPackage

/// One interface's frames on their way from the ring of its namespace into a file.
final class InterfaceCapture {
    /// What this capture still waits for in a barrier.
    enum Awaited {
        case nothing
        case sentinel(nonce: UInt64)
        /// The interface is down or has no carrier and cannot send. The kernel counts what it puts into the ring, and this
        /// many must be taken out.
        case frames(Int)
        /// The kernel does not report how many it put into the ring: whatever is delivered until then.
        case whatComes(until: Instant)
    }

    /// Frames that the limit left out.
    private struct LeftOut {
        var frames = 0
        var from: Timestamp
        var to: Timestamp
    }

    /// A file before the present one.
    private struct Part {
        var path: String
        var number: Int
        var frames: Int
        var bytes: Int
        var lastFrame: Timestamp
    }

    let point: CapturePoint
    let interface: NamespaceRing.Interface
    private let number: UInt32
    private let snapLength: Int
    private unowned let store: CaptureStore
    private var writer: CaptureFileWriter
    var awaited = Awaited.nothing
    /// In the present file.
    private var written = 0
    private var discarded = 0
    private var leftOut: LeftOut?
    private var parts: [Part] = []
    private var partsBegun = 0
    private let began = Timestamp.now()
    private(set) var failure: CaptureError?
    private var isReported = true
    /// The interface is gone, or the ring closed.
    private(set) var isEnded = false

    init(
        point: CapturePoint, interface: NamespaceRing.Interface, writer: consuming CaptureFileWriter, number: Int,
        snapLength: Int, store: CaptureStore
    ) {
        self.point = point
        self.interface = interface
        self.writer = writer
        self.number = UInt32(number)
        self.snapLength = snapLength
        self.store = store
        store.add(CaptureFileWriter.fileHeaderLength)
    }

    var name: String { "\(point.node).\(point.interface)" }

    /// Takes one frame of this interface.
    /// - Returns: whether it was the sentinel that is awaited
    @inline(__always)
    func take(_ frame: RingFrame) -> Bool {
        if frame.tag == nil, let sentinel = SentinelFrame(frame.bytes) {
            guard case .sentinel(let nonce) = awaited, sentinel.nonce == nonce, sentinel.capture == number else {
                return false
            }
            awaited = .nothing
            return true
        }
        guard failure == nil else {
            discarded += 1
            return false
        }
        let length = CaptureFileWriter.recordLength(frame, snapLength: snapLength)
        guard store.hasRoom(for: length) else {
            leaveOut(frame)
            return false
        }
        do {
            try writer.append(frame, snapLength: snapLength)
            written += 1
            store.add(length)
            if store.mustMakeRoom(part: writer.length) { store.makeRoom(self) }
        } catch {
            discarded += 1
            fail(writing: error)
        }
        return false
    }

    private func leaveOut(_ frame: RingFrame) {
        let time = Timestamp(nanoseconds: Int64(frame.seconds) * 1_000_000_000 + Int64(frame.nanoseconds))
        var sum = leftOut ?? LeftOut(from: time, to: time)
        sum.frames += 1
        sum.to = max(sum.to, time)
        leftOut = sum
        store.leftOut += 1
    }

    // MARK: The file

    var hasBufferedRecords: Bool { writer.hasBufferedRecords }

    func flush() {
        guard writer.hasBufferedRecords else { return writer.letGoOfBuffer() }
        do { try writer.flush() } catch { fail(writing: error) }
        writer.letGoOfBuffer()
    }

    private func fail(writing code: Errno) {
        written -= writer.lostRecords
        discarded += writer.lostRecords
        fail(CaptureError(.cannotWriteFile, capture: name, path: point.path, errno: code))
    }

    private func fail(_ error: CaptureError) {
        guard failure == nil else { return }
        failure = error
        isReported = false
    }

    /// A failure that was not reported yet; once.
    func unreportedFailure() -> CaptureError? {
        guard !isReported else { return nil }
        isReported = true
        return failure
    }

    /// The interface was taken away.
    func interfaceIsGone() {
        isEnded = true
        awaited = .nothing
        fail(CaptureError(.cannotContinue, capture: name, detail: "the interface is gone"))
    }

    // MARK: Parts

    /// Bytes of the present file, with what waits to be written.
    var partBytes: Int { writer.length }
    /// Frames in the present file.
    var hasFrames: Bool { written > 0 }

    /// Closes the present file under another name, `lb.inside.pcap.1`, and continues in a new one.
    /// - Returns: whether it was done; else the capture has failed
    func beginNewPart(lastFrame: Timestamp) -> Bool {
        flush()
        guard failure == nil else { return false }
        partsBegun += 1
        let part = Part(
            path: "\(point.path).\(partsBegun)", number: partsBegun, frames: written, bytes: writer.length,
            lastFrame: lastFrame)
        guard rename(point.path, part.path) == 0 else {
            fail(writing: Errno(rawValue: errno))
            return false
        }
        parts.append(part)
        written = 0
        do {
            writer = try CaptureFileWriter.create(path: point.path, snapLength: snapLength)
            store.add(CaptureFileWriter.fileHeaderLength)
            return true
        } catch {
            fail(CaptureError(.cannotCreateFile, capture: name, path: point.path, errno: error))
            return false
        }
    }

    /// Removes the oldest of the files before the present one.
    func removeOldestPart() {
        guard !parts.isEmpty else { return }
        let part = parts.removeFirst()
        unlink(part.path)
        store.add(-part.bytes)
        store.leftOut += part.frames
        var sum = leftOut ?? LeftOut(from: began, to: part.lastFrame)
        sum.frames += part.frames
        sum.to = max(sum.to, part.lastFrame)
        leftOut = sum
    }

    // MARK: Barrier

    /// Sends a sentinel, to be waited for from now on.
    /// - Returns: false where the interface cannot send: it is down, or has no carrier
    func sendSentinel(nonce: UInt64, through sender: Int32) throws(CaptureError) -> Bool {
        guard !isEnded else { return true }
        // Without carrier the kernel accepts a frame and drops it before any capture sees it.
        guard cl_ethtool_get(sender, point.interface, UInt32(ETHTOOL_GLINK)) != 0 else { return false }
        // Sent again for the same barrier: the first one counts as well as the second.
        awaited = .sentinel(nonce: nonce)
        let frame = SentinelFrame(nonce: nonce, capture: number).bytes
        let result = cl_packet_send(sender, interface.index, frame, frame.count)
        guard result < 0 else { return true }
        switch -result {
        case ENETDOWN: return false
        case ENXIO, ENODEV:
            if cl_interface_exists(sender, interface.index) != 0 { interfaceIsGone() }
            return isEnded
        // The buffer is full; the caller sends again.
        case ENOBUFS, EAGAIN, EINTR: return true
        default:
            throw CaptureError(.cannotSendSentinel, capture: name, errno: Errno(rawValue: -result))
        }
    }

    /// - Parameter taken: frames that were taken out of the ring until now
    func isPending(taken: Int) -> Bool {
        if isEnded { return false }
        switch awaited {
        case .nothing: return false
        case .sentinel: return true
        case .frames(let count): return taken < count
        case .whatComes(let deadline): return Instant.monotonic() < deadline
        }
    }

    // MARK: End

    /// Writes out what was taken. The ring may be closed then: this touches it no more.
    /// - Parameter ring: what the ring lost, of whichever of its interfaces
    /// - Returns: one for each file; the present one is the last
    func summarize(_ ring: LossLedger) -> [CaptureSummary] {
        flush()
        isEnded = true
        let files =
            parts.map { (path: "\(point.reportedPath).\($0.number)", frames: $0.frames) }
            + [(path: point.reportedPath, frames: written)]
        return files.enumerated().map { number, file in
            var summary = CaptureSummary(
                node: point.node, interface: point.interface, path: file.path, frames: file.frames,
                dropped: ring.dropped + discarded, losses: ring.losses)
            // The oldest file is where the frames that were left out are missing.
            if number == 0, let leftOut {
                summary.leftOut = leftOut.frames
                summary.losses.append(
                    CaptureLoss(from: leftOut.from, to: leftOut.to, frames: leftOut.frames, cause: .captureLimit))
                summary.losses.sort { $0.from < $1.from }
            }
            return summary
        }
    }
}
