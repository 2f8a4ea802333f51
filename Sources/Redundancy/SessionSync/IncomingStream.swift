/// The peer's stream of session records.
@usableFromInline
struct IncomingStream: ~Copyable {
    /// A stream that was followed before.
    private struct Former {
        var epoch: UInt64 = 0
        /// The number of the message that comes next.
        var expected: UInt64 = 1
        /// How many of its messages came since the last one of the present stream.
        var inRow = 0
    }

    @usableFromInline var window: ReceiveWindow
    /// When the stream began; 0 where none was received.
    @usableFromInline private(set) var epoch: UInt64 = 0
    private var former = Former()
    /// The stream has moved since the last acknowledgement.
    @usableFromInline var hasPendingAcknowledgement = false

    init(window: consuming ReceiveWindow) { self.window = window }

    /// Whether a message of a stream is to be consumed. A later stream takes the place of the present one. Without a key
    /// that may be a stranger's, so the one before it is taken up again where it left off, when it alone goes on.
    /// - Parameter takesAny: an earlier stream takes its place, too
    @usableFromInline
    mutating func follows(_ stream: UInt64, isAuthenticated: Bool, takesAny: Bool) -> Bool {
        if stream == epoch {
            former.inRow = 0
            return true
        }
        if !isAuthenticated, stream == former.epoch {
            former.inRow += 1
            guard stream > epoch || former.inRow >= 3 else { return false }
            switchTo(stream, at: former.expected)
            return true
        }
        guard stream > epoch || takesAny else { return false }
        switchTo(stream, at: 1)
        return true
    }

    private mutating func switchTo(_ stream: UInt64, at place: UInt64) {
        former = Former(epoch: epoch, expected: window.expected)
        epoch = stream
        window.restart(at: place)
    }
}
