internal import EventLoop
internal import LabTime

/// What the files of all captures of a session hold together, and what the limit lets them hold.
final class CaptureStore {
    let limit: CaptureLimit?
    private(set) var bytes = 0
    /// Frames that the limit left out, of all captures.
    var leftOut = 0
    /// Nothing is added any more. It stays so, also where a short frame would still fit: what is missing is then missing
    /// from one moment on.
    private var isFull = false
    /// Captures that have closed a file, in the order of these files.
    private var closed: [InterfaceCapture] = []
    private var nextClosed = 0

    /// Of the session, which owns them.
    var captures: [InterfaceCapture] = []

    init(_ limit: CaptureLimit?) { self.limit = limit }

    func add(_ count: Int) { bytes += count }

    @inline(__always)
    func hasRoom(for count: Int) -> Bool {
        guard let limit, limit.policy == .keepsFirst else { return true }
        if bytes + count > limit.bytes { isFull = true }
        return !isFull
    }

    var volume: CaptureVolume { CaptureVolume(bytes: bytes, leftOut: leftOut, limit: limit) }

    /// Whether a capture continues in a new file after this many bytes, or others are to be removed.
    @inline(__always)
    func mustMakeRoom(part length: Int) -> Bool {
        guard let limit, limit.policy == .keepsNewest else { return false }
        return length >= limit.bytesOfPart || bytes > limit.bytes
    }

    /// Continues a capture in a new file where the present one is long enough, and removes the oldest until all are
    /// within the limit.
    func makeRoom(_ capture: InterfaceCapture) {
        guard let limit else { return }
        if capture.partBytes >= limit.bytesOfPart { close(capture) }
        while bytes > limit.bytes {
            if nextClosed < closed.count {
                closed[nextClosed].removeOldestPart()
                nextClosed += 1
            } else if let longest = captures.max(by: { $0.partBytes < $1.partBytes }), longest.hasFrames, close(longest)
            {
                continue
            } else {
                return  // nothing but headers
            }
        }
        if nextClosed > 1000 {
            closed.removeFirst(nextClosed)
            nextClosed = 0
        }
    }

    @discardableResult
    private func close(_ capture: InterfaceCapture) -> Bool {
        guard capture.failure == nil, capture.beginNewPart(lastFrame: .now()) else { return false }
        closed.append(capture)
        return true
    }
}
