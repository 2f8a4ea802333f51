internal import Glibc
public import LabTime
public import SystemPackage

/// A stream socket on which both ends write lines (here: one JSON value a line).
///
/// Never blocks: what the peer does not read yet is kept, up to `Limits.mostWaiting` bytes; a peer that stops reading
/// for longer than that is treated as gone.
public final class LineChannel {
    /// Bytes beyond which the channel counts as broken.
    public struct Limits: Hashable, Sendable {
        /// That may wait for the peer.
        public var mostWaiting: Int
        /// Of the longest line that is accepted.
        public var longestLine: Int

        public init(mostWaiting: Int, longestLine: Int) {
            self.mostWaiting = mostWaiting
            self.longestLine = longestLine
        }

        /// Anybody who may connect.
        public static let clients = Limits(mostWaiting: 16 << 20, longestLine: 4 << 20)
        /// Processes of one lab among each other: a traffic program's 100,000 results are one line of some 40 MiB.
        public static let ownProcesses = Limits(mostWaiting: 512 << 20, longestLine: 256 << 20)
    }

    private let limits: Limits
    private let loop: EventLoop
    public let descriptor: Int32
    private var incoming: [UInt8] = []
    private var scanned = 0
    private var outgoing: [UInt8] = []
    /// How much of it has been sent.
    private var sent = 0
    private var onLine: ([UInt8]) -> Void
    private var onClose: () -> Void
    public private(set) var isOpen = true

    /// Takes over the descriptor, which is closed with the channel, also where none can be made.
    /// - Parameters:
    ///   - onLine: one line, without its newline
    ///   - onClose: called once, when the peer has closed, broken the limits, or the socket failed
    public init(
        _ descriptor: Int32, limits: Limits = .clients, on loop: EventLoop, onLine: @escaping ([UInt8]) -> Void,
        onClose: @escaping () -> Void = {}
    ) throws(Errno) {
        self.limits = limits
        self.loop = loop
        self.descriptor = descriptor
        self.onLine = onLine
        self.onClose = onClose
        do throws(Errno) {
            guard fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0 else {
                throw Errno(rawValue: errno)
            }
            try loop.watch(descriptor) { [weak self] readiness in self?.ready(readiness) }
        } catch {
            isOpen = false
            Glibc.close(descriptor)
            throw error
        }
    }

    deinit { close() }

    /// Queues one line; a newline is added.
    public func send(_ line: some Sequence<UInt8>) {
        guard isOpen else { return }
        outgoing.append(contentsOf: line)
        outgoing.append(UInt8(ascii: "\n"))
        flush()
    }

    /// Waits until the peer has taken in everything, as before the process ends: what still waits here would end with
    /// it. Gives up where the peer is gone, or takes nothing more for `timeout`.
    public func finishSending(within timeout: Duration) {
        var waiting = outgoing.count - sent
        while isOpen, waiting > 0 {
            var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let ready = Glibc.poll(&poll, 1, Int32(clamping: timeout.nanoseconds / 1_000_000))
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return }
            flush()
            // A peer that hung up is writable, and takes nothing.
            guard outgoing.count - sent < waiting else { return }
            waiting = outgoing.count - sent
        }
    }

    /// Closes at once; `onClose` is not called.
    public func close() {
        guard isOpen else { return }
        isOpen = false
        loop.unwatch(descriptor)
        Glibc.close(descriptor)
        onLine = { _ in }
        onClose = {}
    }

    /// Delivers what the peer had sent before it ended, then closes; `onClose` is called.
    public func drainAndClose() {
        guard isOpen else { return }
        read()
        end()
    }

    private func ready(_ readiness: EventLoop.Readiness) {
        if readiness.contains(.writable) { flush() }
        guard isOpen, !readiness.isDisjoint(with: [.readable, .hangUp, .error]) else { return }
        read()
    }

    private func read() {
        let hasEnded = withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 16) { buffer -> Bool in
            while true {
                let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                if count > 0 {
                    incoming.append(contentsOf: buffer[..<count])
                    if count < buffer.count { return false }
                } else if count == 0 {
                    return true
                } else {
                    return errno != EAGAIN && errno != EINTR
                }
            }
        }
        deliver()
        if isOpen, hasEnded || incoming.count > limits.longestLine { end() }
    }

    private func deliver() {
        var start = 0
        while isOpen, let newline = incoming[max(start, scanned)...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = Array(incoming[start..<newline])
            start = newline + 1
            scanned = start
            onLine(line)
        }
        guard isOpen else { return }
        incoming.removeFirst(start)
        scanned = incoming.count
    }

    private func flush() {
        while isOpen, sent < outgoing.count {
            let count = outgoing.withUnsafeBytes { bytes in
                Glibc.send(descriptor, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                break
            } else if errno != EINTR {
                return end()
            }
        }
        // Moved rarely, so that a long line costs no more when it arrives in small pieces.
        if sent > outgoing.count / 2 {
            outgoing.removeFirst(sent)
            sent = 0
        }
        guard outgoing.count - sent <= limits.mostWaiting else { return end() }
        try? loop.change(descriptor, to: outgoing.isEmpty ? .readable : [.readable, .writable])
    }

    private func end() {
        guard isOpen else { return }
        let closed = onClose
        close()
        closed()
    }
}
