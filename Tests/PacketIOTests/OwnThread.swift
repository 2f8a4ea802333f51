import CLinux
import Glibc
import Synchronization

/// A thread in network namespaces of its own, as an executor: a test that prefers it runs there from the first line to
/// the last, and no other test's thread ever changes its namespace.
///
/// Namespaces belong to threads, and a thread cannot always go back to the one it came from.
final class OwnThread: TaskExecutor, Sendable {
    private let jobs = Mutex<[UnownedJob]>([])
    private let wake: Int32

    init() {
        wake = cl_eventfd()
        let state = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { context in
                Unmanaged<OwnThread>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, state.toOpaque())
        precondition(result == 0, "no thread")
        pthread_detach(thread)
    }

    deinit { close(wake) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        signal(1)
    }

    /// The thread ends when it has run what it holds.
    func end() { signal(1 << 32) }

    private func signal(_ value: UInt64) {
        var value = value
        _ = write(wake, &value, 8)
    }

    private func run() {
        var isEnding = false
        while true {
            let next = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            if let next {
                next.runSynchronously(on: asUnownedTaskExecutor())
            } else if isEnding {
                return
            } else {
                var poll = pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
                Glibc.poll(&poll, 1, -1)
                var value: UInt64 = 0
                _ = read(wake, &value, 8)
                isEnding = isEnding || value >= 1 << 32
            }
        }
    }
}
