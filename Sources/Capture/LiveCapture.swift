internal import CLinux
internal import CPcap
internal import EventLoop
internal import Evidence
internal import Glibc
internal import LabTime
internal import SystemPackage

/// One interface's ring on its way into one file.
final class LiveCapture {
    /// What this capture still waits for in a barrier.
    enum Awaited {
        case nothing
        case sentinel(nonce: UInt64)
        /// The interface is down or has no carrier and cannot send. The kernel counts what it puts into the ring, and this many must be taken out.
        case frames(Int)
        /// The kernel does not say how many it put into the ring: whatever is handed over until then.
        case whatComes(until: Instant)
    }

    let point: CapturePoint
    let ring: PacketRing
    private let number: UInt32
    private let flushInterval: Duration
    private var writer: CaptureFileWriter
    private var awaited = Awaited.nothing
    private var lastFlush: Instant
    private var losses = LossLedger(start: .now())
    private var lastCount: Instant
    private let blockTimeout: Duration
    /// Taken out of the ring, sentinels among them.
    private var taken = 0
    private var written = 0
    private var discarded = 0
    private(set) var failure: CaptureError?
    /// The interface is gone, or the ring closed.
    private var isEnded = false

    /// Frames taken at one go, so that one busy interface does not starve the others.
    private static let mostAtOnce: Int32 = 4096
    /// How exactly it is known when frames were lost, while frames come in.
    private static let countInterval = Duration.milliseconds(20)

    init(
        point: CapturePoint, ring: PacketRing, writer: consuming CaptureFileWriter, number: Int,
        settings: CaptureSettings
    ) {
        self.point = point
        self.ring = ring
        self.writer = writer
        self.number = UInt32(number)
        flushInterval = settings.flushInterval
        blockTimeout = settings.blockTimeout
        lastFlush = .monotonic()
        lastCount = lastFlush
    }

    var name: String { "\(point.node).\(point.interface)" }

    /// Takes what the ring holds, at most some thousand frames.
    /// - Returns: how many frames were taken, sentinels included
    /// - Throws: once, when the file cannot be written or the interface is gone. After a write error frames are still
    ///   taken out of the ring, and counted as dropped.
    @discardableResult
    func read() throws(CaptureError) -> Int {
        if isEnded { return 0 }
        let failedBefore = failure != nil
        if Instant.monotonic() - lastCount >= Self.countInterval { countLosses() }
        let user = Unmanaged.passUnretained(self).toOpaque()
        let count = pcap_dispatch(
            ring.handle, Self.mostAtOnce,
            { user, header, bytes in
                Unmanaged<LiveCapture>.fromOpaque(user!)._withUnsafeGuaranteedRef { $0.take(header!, bytes!) }
            }, user)
        if count < 0 {
            // An interface that goes down is no error to libpcap 1.10; one that is taken away is.
            isEnded = true
            fail(CaptureError(.cannotContinue, capture: name, detail: String(cString: pcap_geterr(ring.handle))))
        }
        if writer.hasBufferedRecords, Instant.monotonic() - lastFlush >= flushInterval { flushToFile() }
        if !failedBefore, let failure { throw failure }
        return Int(max(0, count))
    }

    /// Writes what is buffered into the file.
    /// - Throws: once, when the file cannot be written
    func flush() throws(CaptureError) {
        let failedBefore = failure != nil
        if !isEnded { countLosses() }
        flushToFile()
        if !failedBefore, let failure { throw failure }
    }

    private func take(_ header: UnsafePointer<pcap_pkthdr>, _ start: UnsafePointer<UInt8>) {
        taken += 1
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(header.pointee.caplen))
        if let sentinel = SentinelFrame(bytes) {
            if case .sentinel(let nonce) = awaited, sentinel.nonce == nonce, sentinel.capture == number {
                awaited = .nothing
            }
            return
        }
        guard failure == nil else {
            discarded += 1
            return
        }
        do {
            // With nanosecond precision, tv_usec holds nanoseconds.
            try writer.append(
                seconds: UInt32(truncatingIfNeeded: header.pointee.ts.tv_sec),
                nanoseconds: UInt32(truncatingIfNeeded: header.pointee.ts.tv_usec),
                originalLength: header.pointee.len, bytes)
            written += 1
        } catch {
            discarded += 1
            fail(writing: error)
        }
    }

    private func flushToFile() {
        lastFlush = .monotonic()
        guard writer.hasBufferedRecords else { return }
        do { try writer.flush() } catch { fail(writing: error) }
    }

    private func fail(writing code: Errno) {
        written -= writer.lostRecords
        discarded += writer.lostRecords
        fail(CaptureError(.cannotWriteFile, capture: name, path: point.path, errno: code))
    }

    private func fail(_ error: CaptureError) { failure = failure ?? error }

    // MARK: Barrier

    /// Sends a sentinel and waits for it from now on.
    func sendSentinel(nonce: UInt64) throws(CaptureError) {
        if isEnded {
            awaited = .nothing
            return
        }
        // Without carrier the kernel accepts a frame and throws it away before any capture sees it.
        guard cl_ethtool_get(ring.sender, point.interface, UInt32(ETHTOOL_GLINK)) != 0 else {
            awaitDeliveredFrames()
            return
        }
        // Sent again for the same barrier: the first one counts as well as the second.
        awaited = .sentinel(nonce: nonce)
        let frame = SentinelFrame(nonce: nonce, capture: number).bytes
        let result = cl_packet_send(ring.sender, ring.interfaceIndex, frame, frame.count)
        guard result < 0 else { return }
        switch -result {
        // Down, or gone.
        case ENETDOWN, ENXIO, ENODEV: awaitDeliveredFrames()
        // No room just now; the caller sends again.
        case ENOBUFS, EAGAIN, EINTR: break
        default:
            throw CaptureError(.cannotSendSentinel, capture: name, errno: Errno(rawValue: -result))
        }
    }

    var isPending: Bool {
        if isEnded { return false }
        switch awaited {
        case .nothing: return false
        case .sentinel: return true
        case .frames(let count): return taken < count
        case .whatComes(let deadline): return Instant.monotonic() < deadline
        }
    }

    // MARK: End

    /// Waits from now on for what the kernel has counted into the ring until now.
    func awaitDeliveredFrames() {
        awaited =
            ring.statistics().map { .frames($0.delivered) } ?? .whatComes(until: .monotonic() + blockTimeout * 3)
    }

    /// Writes out what was taken, and reads the counters. The ring may be closed then: this touches it no more.
    func summarize() -> CaptureSummary {
        flushToFile()
        let asked = Timestamp.now()
        losses.close(ring.statistics()?.dropped, asked: asked, answered: .now())
        isEnded = true
        return CaptureSummary(
            node: point.node, interface: point.interface, path: point.reportedPath, frames: written,
            dropped: losses.dropped + discarded, losses: losses.losses)
    }

    private func countLosses() {
        lastCount = .monotonic()
        let asked = Timestamp.now()
        losses.note(ring.statistics()?.dropped, asked: asked, answered: .now())
    }
}
