internal import CLinux
internal import Glibc
internal import Synchronization
public import SystemPackage

/// An event loop on a thread of its own, which stays in the namespaces of the thread that makes it.
public final class LoopThread: Sendable {
    /// What the loop's thread is to do; other threads must not use the loop.
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

    /// Runs it on the loop's thread, some time later; after `stop`, never.
    public func send(_ errand: @escaping @Sendable (EventLoop) -> Void) { mailbox.send(errand) }

    /// Runs it on the loop's thread, and waits for it.
    /// - Precondition: not called on the loop's thread, and not after `stop`
    public func perform<Result: Sendable>(_ body: @escaping @Sendable (EventLoop) -> Result) -> Result {
        let answer = Answer<Result>()
        send { loop in answer.give(body(loop)) }
        return answer.await()
    }

    /// Ends the loop, and with it what its descriptors' handlers have open; returns when the thread has ended.
    /// - Precondition: not called on the loop's thread
    public func stop() {
        guard let thread = thread.withLock({ $0.take() }) else { return }
        precondition(pthread_equal(thread, pthread_self()) == 0, "a thread cannot wait for its own end")
        send { $0.stop() }
        pthread_join(thread, nil)
    }
}

/// A value that one thread gives and another one waits for. No descriptor: there may be none left.
private final class Answer<Value: Sendable>: @unchecked Sendable {
    private var value: Value?
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func give(_ value: Value) {
        pthread_mutex_lock(mutex)
        self.value = value
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    func await() -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let value { return value }
            pthread_cond_wait(condition, mutex)
        }
    }
}
