internal import CLinux
internal import Glibc
internal import Synchronization
public import SystemPackage

/// Carries messages from other threads (SwiftNIO's, for instance) to the thread of an event loop.
public final class Mailbox<Message: Sendable>: Sendable {
    private let descriptor: Int32
    private let waiting = Mutex<[Message]>([])

    /// - Parameter handler: called on the loop's thread, once for each message, in the order of sending
    public init(on loop: EventLoop, handler: @escaping (Message) -> Void) throws(Errno) {
        descriptor = cl_eventfd()
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        try loop.watch(descriptor) { [weak self] _ in
            for message in self?.take() ?? [] { handler(message) }
        }
    }

    /// From any thread.
    public func send(_ message: Message) {
        waiting.withLock { $0.append(message) }
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    private func take() -> [Message] {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
        return waiting.withLock { messages in
            defer { messages = [] }
            return messages
        }
    }

    deinit { close(descriptor) }
}
