internal import CForwarders
internal import Glibc
internal import Netlink

/// A thread in a namespace and on a processor, which works until it is stopped.
final class BackgroundThread {
    private final class Work {
        let body: (UnsafeMutablePointer<Int32>) throws -> Void
        let stop: UnsafeMutablePointer<Int32>
        var failure: (any Error)?

        init(_ body: @escaping (UnsafeMutablePointer<Int32>) throws -> Void) {
            self.body = body
            stop = .allocate(capacity: 1)
            stop.initialize(to: 0)
        }

        deinit { stop.deallocate() }
    }

    private var thread = pthread_t()
    private let work: Work

    /// - Parameter namespace: must stay open until the thread has entered it, that is until the first measurement
    init(
        in namespace: Int32, processor: Int32, _ body: @escaping (UnsafeMutablePointer<Int32>) throws -> Void
    ) throws {
        work = Work { stop in
            try NetworkNamespace.enter(namespace)
            _ = bench_pin(processor)
            try body(stop)
        }
        let code = pthread_create(
            &thread, nil,
            { argument in
                let work = Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue()
                do { try work.body(work.stop) } catch { work.failure = error }
                return nil
            }, Unmanaged.passRetained(work).toOpaque())
        guard code == 0 else { throw BenchmarkFailure("no thread: \(String(cString: strerror(code)))") }
    }

    /// Processor time that the thread has used, with what the kernel did on its behalf.
    var processorTime: Duration {
        var clock = clockid_t()
        var time = timespec()
        guard pthread_getcpuclockid(thread, &clock) == 0, clock_gettime(clock, &time) == 0 else { return .zero }
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// Stops the thread and waits for it.
    func stop() throws {
        bench_set(work.stop, 1)
        pthread_join(thread, nil)
        if let failure = work.failure { throw failure }
    }
}
