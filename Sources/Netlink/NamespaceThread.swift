internal import Glibc
internal import SystemPackage

/// Work on a thread of its own. `setns` and `unshare` change one thread only, and on one that belongs to somebody
/// else (a pool, a test runner) that would move whatever runs there next.
public enum NamespaceThread {
    /// Runs `body` on a new thread and waits for it.
    /// - Throws: what `body` throws; `Errno` where no thread can be started
    public static func run<Success: Sendable>(_ body: @escaping @Sendable () throws -> Success) throws -> Success {
        let work = Work(body)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<AnyWork>.fromOpaque(argument!).takeUnretainedValue().run()
                return nil
            }, Unmanaged<AnyWork>.passUnretained(work).toOpaque())
        guard code == 0 else { throw Errno(rawValue: code) }
        pthread_join(thread, nil)
        return try work.result!.get()
    }

    /// Runs `body` on a new thread and does not wait for it; does nothing where no thread can be started. A process
    /// that exits meanwhile ends when the system call has returned in which the thread is.
    public static func start(_ body: @escaping @Sendable () throws -> Void) {
        let work: AnyWork = Work(body)
        let argument = Unmanaged.passRetained(work)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<AnyWork>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, argument.toOpaque())
        if code == 0 { pthread_detach(thread) } else { argument.release() }
    }

    private class AnyWork {
        func run() {}
    }

    private final class Work<Success: Sendable>: AnyWork {
        let body: @Sendable () throws -> Success
        var result: Result<Success, any Error>?

        init(_ body: @escaping @Sendable () throws -> Success) { self.body = body }

        override func run() { result = Result { try body() } }
    }
}
