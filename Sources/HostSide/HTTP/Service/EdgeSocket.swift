internal import CLinux
internal import EventLoop
internal import Glibc
internal import HTTPExchange

/// A connected TCP socket that is registered once, for everything and for edges, and read and written as far as the
/// kernel goes: no call tells epoll of a change of mind, and none finds out what an event has told already.
struct EdgeSocket {
    enum Arrival {
        case bytes(Int)
        /// Not now; an event will tell.
        case nothing
        /// The peer has ended its direction, and all that it sent was read.
        case end
        case failed(Int32)
    }

    static let interest: EventLoop.Interest = [.readable, .writable, .peerEnd, .edges]

    /// -1 once closed
    private(set) var descriptor: Int32
    /// Reading may bring something.
    private(set) var isReadable = false
    /// The peer's FIN or RST is here, behind what may still be unread.
    private(set) var peerHasEnded = false
    /// Both directions are over: a reset, for one.
    private(set) var isBroken = false
    /// Why nothing more can be sent: `errno`. What is sent after it is lost.
    private(set) var failure: Int32?
    private var isAtEnd = false
    /// What the kernel did not take; nil for nothing.
    private var waiting: MessageBuffer?
    /// Of what was sent, what the peer had not acknowledged when this was last looked at.
    private var unacknowledged: Int32 = 0

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    var isOpen: Bool { descriptor >= 0 }
    /// Whether bytes wait for the kernel to take them: until it has, nobody should bring more.
    var hasWaiting: Bool { waiting != nil }
    /// Whether the next that is read is the peer's end.
    var endIsNext: Bool { isAtEnd }

    mutating func note(_ readiness: EventLoop.Readiness) {
        if !readiness.isDisjoint(with: [.readable, .peerEnd, .error, .hangUp]) { isReadable = true }
        if readiness.contains(.peerEnd) { peerHasEnded = true }
        if !readiness.isDisjoint(with: [.error, .hangUp]) { isBroken = true }
    }

    /// Reads as much as there is room for. Less than that was all there is: it is not asked twice.
    mutating func read(into memory: UnsafeMutableRawBufferPointer) -> Arrival {
        if isAtEnd {
            isReadable = false
            return .end
        }
        while true {
            let count = recv(descriptor, memory.baseAddress, memory.count, 0)
            if count > 0 {
                if count < memory.count {
                    isReadable = peerHasEnded
                    // A FIN that was here before the call has nothing but these bytes before it; a reset has its errno.
                    isAtEnd = peerHasEnded && !isBroken
                }
                return .bytes(count)
            }
            if count == 0 {
                isReadable = false
                isAtEnd = true
                return .end
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                isReadable = false
                return .nothing
            case let code:
                isReadable = false
                return .failed(code)
            }
        }
    }

    /// Sends, and keeps what the kernel does not take.
    mutating func send(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count > 0, failure == nil, isOpen else { return }
        guard waiting == nil else {
            waiting!.append(bytes)
            return
        }
        let sent = accepted(Glibc.send(descriptor, base, bytes.count, Int32(MSG_NOSIGNAL)))
        if sent < bytes.count, failure == nil { keep(UnsafeRawBufferPointer(rebasing: bytes[sent...])) }
    }

    /// Sends three pieces of memory one behind the other, by one call.
    mutating func send(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer, _ c: UnsafeRawBufferPointer) {
        guard failure == nil, isOpen else { return }
        var sent = 0
        if waiting == nil {
            sent = accepted(
                cl_send_three(descriptor, a.baseAddress, a.count, b.baseAddress, b.count, c.baseAddress, c.count))
        }
        guard failure == nil else { return }
        for piece in [a, b, c] {
            let taken = min(sent, piece.count)
            sent -= taken
            keep(UnsafeRawBufferPointer(rebasing: piece[taken...]))
        }
    }

    /// Goes on with what waits.
    /// - Returns: whether the kernel took any of it
    mutating func sendWaiting() -> Bool {
        guard let bytes = waiting?.bytes else { return false }
        let sent = accepted(Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL)))
        if sent == bytes.count || failure != nil {
            waiting = nil
        } else {
            waiting!.removeFirst(sent)
            unacknowledged = cl_unacknowledged(descriptor)
        }
        return sent > 0
    }

    /// Whether the peer has taken something since bytes began to wait, or since this was asked: of a peer that takes
    /// little at a time the kernel tells nothing before a third of its buffer is free.
    mutating func peerHasTakenSome() -> Bool {
        let before = unacknowledged
        unacknowledged = cl_unacknowledged(descriptor)
        return unacknowledged < before
    }

    /// Ends the own direction; the peer reads the end behind what was sent.
    func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes at once, with RST where asked; what waits is lost.
    mutating func close(withReset: Bool = false) {
        guard isOpen else { return }
        if withReset { cl_reset_when_closed(descriptor) }
        Glibc.close(descriptor)
        descriptor = -1
        waiting = nil
        isReadable = false
    }

    private mutating func accepted(_ result: Int) -> Int {
        if result >= 0 { return result }
        if errno != EAGAIN && errno != EINTR {
            failure = errno
            // Who reads on learns what became of the connection, and may find an answer that came before.
            isReadable = true
        }
        return 0
    }

    private mutating func keep(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        if waiting == nil {
            waiting = MessageBuffer()
            unacknowledged = cl_unacknowledged(descriptor)
        }
        waiting!.append(bytes)
    }
}
