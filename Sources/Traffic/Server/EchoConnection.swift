internal import EventLoop
internal import SystemPackage

/// One connection of an echo server: returns every byte, in order.
final class EchoConnection: ServedConnection {
    private let socket: Socket
    private let loop: EventLoop
    private let parting: PartingSockets
    private let onEnd: () -> Void
    /// What the client has not taken yet; nothing is read while there is any.
    private var waiting: [UInt8] = []
    private var peerHasFinished = false
    private var isOpen = true

    init(
        _ socket: Socket, on loop: EventLoop, parting: PartingSockets, onEnd: @escaping () -> Void
    ) throws(Errno) {
        self.socket = socket
        self.loop = loop
        self.parting = parting
        self.onEnd = onEnd
        try loop.watch(socket.descriptor) { [unowned self] in ready($0) }
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        loop.unwatch(socket.descriptor)
        socket.close()
    }

    private func ready(_ readiness: EventLoop.Readiness) {
        if !waiting.isEmpty {
            flush()
        } else if !readiness.isDisjoint(with: [.readable, .hangUp, .error]) {
            read()
        }
    }

    private func read() {
        withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 16) { buffer in
            while isOpen, waiting.isEmpty, !peerHasFinished {
                switch socket.receive(into: buffer, isStream: true) {
                case .bytes(let count): echo(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                case .wouldBlock: return
                case .endOfStream:
                    peerHasFinished = true
                    return part()
                case .failed: return end()
                }
            }
        }
    }

    private func echo(_ bytes: UnsafeRawBufferPointer) {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            guard case .bytes(let count) = socket.send(rest) else { break }
            written += count
        }
        guard written < bytes.count else { return }
        waiting.append(contentsOf: bytes[written...])
        // Level-triggered readiness would spin on input that is not read meanwhile. A broken connection reports
        // itself however it is watched.
        try? loop.change(socket.descriptor, to: .writable)
    }

    private func flush() {
        var written = 0
        while written < waiting.count {
            let outcome = waiting.withUnsafeBytes { socket.send(UnsafeRawBufferPointer(rebasing: $0[written...])) }
            switch outcome {
            case .bytes(let count): written += count
            case .wouldBlock, .endOfStream:
                waiting.removeFirst(written)
                return
            case .failed: return end()
            }
        }
        waiting.removeAll(keepingCapacity: true)
        try? loop.change(socket.descriptor, to: .readable)
    }

    /// The client has said all, and has had all its answers.
    private func part() {
        guard isOpen else { return }
        isOpen = false
        loop.unwatch(socket.descriptor)
        parting.part(with: socket)
        onEnd()
    }

    private func end() {
        guard isOpen else { return }
        close()
        onEnd()
    }
}
