internal import CLinux
internal import Glibc
internal import Synchronization
public import SystemPackage

/// An event loop on a thread of its own, which stays in the namespaces of the thread that makes it.
public final class LoopThread: Sendable {
    /// What the loop's thread is to do; the loop is not another thread's to touch.
    private typealias Errand = @Sendable (EventLoop) -> Void

    private let mailbox: Mailbox<Errand>
    private let thread: Mutex<pthread_t?>

    /// - Parameter name: at most 15 bytes, for `ps`
    public init(name: String) throws(Errno) {
        let loop = try EventLoop()
        mailbox = try Mailbox(on: loop) { [unowned loop] errand in errand(loop) }
        var made = pthread_t()
        let context = Unmanaged.passRetained(loop)
        let body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
            let loop = Unmanaged<EventLoop>.fromOpaque(context!).takeRetainedValue()
            loop.run()
            loop.end()
            return nil
        }
        let code = cl_start_thread(&made, body, context.toOpaque(), name)
        guard code == 0 else {
            context.release()
            throw Errno(rawValue: code)
        }
        thread = Mutex(made)
    }

    deinit { stop() }

    /// Has it done on the loop's thread, sooner or later; after `stop`, never.
    public func send(_ errand: @escaping @Sendable (EventLoop) -> Void) { mailbox.send(errand) }

    /// Has it done on the loop's thread, and waits for that.
    /// - Precondition: not called on the loop's thread, and not after `stop`
    public func perform<Result: Sendable>(_ body: @escaping @Sendable (EventLoop) -> Result) -> Result {
        let answer = Answer<Result>()
        send { loop in answer.give(body(loop)) }
        return answer.await()
    }

    /// Ends the loop, and with it what its descriptors' handlers have open; returns when the thread has ended.
    public func stop() {
        guard let thread = thread.withLock({ $0.take() }) else { return }
        send { $0.stop() }
        pthread_join(thread, nil)
    }
}

/// A value that one thread gives and another one waits for.
private final class Answer<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let descriptor = cl_eventfd()

    deinit { close(descriptor) }

    func give(_ value: Value) {
        self.value.withLock { $0 = value }
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    func await() -> Value {
        while true {
            if let value = value.withLock({ $0 }) { return value }
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            _ = Glibc.poll(&poll, 1, -1)
        }
    }
}
