internal import CLinux
internal import EventLoop
internal import Evidence
internal import Glibc
internal import LabTime

/// The captures of one network namespace, and the ring from which they take their frames.
final class NamespaceCapture {
    let ring: NamespaceRing
    let captures: [InterfaceCapture]
    /// Position in `captures`, by the interface's index.
    private let places: [Int32: Int]
    private var lastPlace = 0
    private var losses = LossLedger(start: .now())
    private var lastCount: Instant
    private let blockTimeout: Duration
    private var pendingSentinels = 0
    private var waitsForCount = false

    /// Memory whose blocks are read at one go, so that one busy ring does not starve the others.
    private static let mostAtOnce = 1 << 20
    /// How exactly it is known when frames were lost, while frames come in.
    private static let countInterval = Duration.milliseconds(20)

    init(_ ring: NamespaceRing, _ captures: [InterfaceCapture], blockTimeout: Duration) {
        self.ring = ring
        self.captures = captures
        self.blockTimeout = blockTimeout
        places = Dictionary(captures.enumerated().map { ($1.interface.index, $0) }) { first, _ in first }
        lastCount = .monotonic()
    }

    /// Takes what the ring holds, at most some thousand frames.
    /// - Returns: how many frames were taken, sentinels included
    func read() -> Int {
        if Instant.monotonic() - lastCount >= Self.countInterval { countLosses() }
        let count = ring.read(atMost: Self.mostAtOnce) { frame in
            if captures[lastPlace].interface.index != frame.interface {
                // Of an interface that is not captured, where the kernel's filter could not be that long.
                guard let place = places[frame.interface] else { return }
                lastPlace = place
            }
            if captures[lastPlace].take(frame) { pendingSentinels -= 1 }
        }
        if count == 0 { lookForError() }
        return count
    }

    /// A socket that is bound to an interface reports when that goes down, and goes on when it comes up again.
    private func lookForError() {
        guard cl_socket_error(ring.descriptor) != 0 else { return }
        for capture in captures where !capture.isEnded && cl_interface_exists(ring.sender, capture.interface.index) != 0
        {
            capture.interfaceIsGone()
        }
        countPending()
    }

    // MARK: Barrier

    /// Sends sentinels, to be waited for from now on.
    /// - Parameter again: only those that were not seen yet
    func sendSentinels(nonce: UInt64, again: Bool) throws(CaptureError) {
        for capture in captures where !again || capture.isPending(taken: ring.taken) {
            if try !capture.sendSentinel(nonce: nonce, through: ring.sender) { waitForDelivered(capture) }
        }
        countPending()
    }

    /// Waits from now on for what the kernel has counted into the ring until now.
    func awaitDeliveredFrames() {
        for capture in captures where !capture.isEnded { waitForDelivered(capture) }
        countPending()
    }

    private func waitForDelivered(_ capture: InterfaceCapture) {
        capture.awaited =
            ring.statistics().map { .frames($0.delivered) } ?? .whatComes(until: .monotonic() + blockTimeout * 3)
    }

    private func countPending() {
        pendingSentinels = captures.count { if case .sentinel = $0.awaited { true } else { false } }
        waitsForCount = captures.contains { $0.isPending(taken: ring.taken) }
    }

    /// Whether some capture has not yet seen what it waits for.
    var isPending: Bool {
        if pendingSentinels > 0 { return true }
        guard waitsForCount else { return false }
        waitsForCount = captures.contains { $0.isPending(taken: ring.taken) }
        return waitsForCount
    }

    // MARK: Losses

    func countLosses() {
        lastCount = .monotonic()
        let asked = Timestamp.now()
        losses.note(ring.statistics()?.dropped, asked: asked, answered: .now())
    }

    /// Reads the counters for the last time. A frame that did not fit may have been of any interface: each capture
    /// reports it.
    func summarize() -> [[CaptureSummary]] {
        let asked = Timestamp.now()
        losses.close(ring.statistics()?.dropped, asked: asked, answered: .now())
        return captures.map { $0.summarize(losses) }
    }
}
