internal import Glibc
internal import Synchronization
internal import SystemPackage

/// Runs pieces of work on as many threads as there are pieces, up to a bound, and waits for all.
///
/// For system calls that mostly wait: opening and closing packet rings each wait for one or more grace periods of the
/// kernel (synchronize_rcu, some 6 to 13 ms), and one grace period serves all waiting threads.
enum ParallelThreads {
    /// - Parameters:
    ///   - most: threads at once; each takes the next piece when it has done one
    ///   - body: called once for each position, never on the calling thread, so it may enter a namespace
    /// - Throws: the `Errno` of pthread_create(3) where not even one thread can be started
    static func map<Element: Sendable>(
        _ count: Int, atOnce most: Int = 256, _ body: @escaping @Sendable (Int) -> Element
    ) throws(Errno) -> [Element] {
        let work = Pieces(count, body)
        let argument = Unmanaged<AnyPieces>.passUnretained(work).toOpaque()
        var threads: [pthread_t] = []
        for _ in 0..<min(count, most) {
            var thread = pthread_t()
            let code = pthread_create(
                &thread, nil,
                { argument in
                    Unmanaged<AnyPieces>.fromOpaque(argument!).takeUnretainedValue().run()
                    return nil
                }, argument)
            if code == 0 {
                threads.append(thread)
            } else if threads.isEmpty {
                throw Errno(rawValue: code)
            }
        }
        for thread in threads { pthread_join(thread, nil) }
        return work.results.withLock { $0.map { $0! } }
    }

    /// Runs pieces of work as `map` does, and waits for none of them. A process that exits meanwhile waits for all at
    /// the same time; had it to do the work itself, it would do one piece after the other.
    static func start(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let work = Pieces(count, body)
        var started = 0
        for _ in 0..<count {
            let argument = Unmanaged<AnyPieces>.passRetained(work)
            var thread = pthread_t()
            let code = pthread_create(
                &thread, nil,
                { argument in
                    Unmanaged<AnyPieces>.fromOpaque(argument!).takeRetainedValue().run()
                    return nil
                }, argument.toOpaque())
            if code == 0 {
                pthread_detach(thread)
                started += 1
            } else {
                argument.release()
            }
        }
        if started == 0 { work.run() }
    }

    private class AnyPieces {
        func run() {}
    }

    private final class Pieces<Element: Sendable>: AnyPieces {
        let count: Int
        let body: @Sendable (Int) -> Element
        let next = Atomic<Int>(0)
        let results: Mutex<[Element?]>

        init(_ count: Int, _ body: @escaping @Sendable (Int) -> Element) {
            self.count = count
            self.body = body
            results = Mutex(Array(repeating: nil, count: count))
        }

        /// Takes pieces until there are none: where fewer threads could be started, each does more.
        override func run() {
            while true {
                let position = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard position < count else { return }
                let result = body(position)
                results.withLock { $0[position] = result }
            }
        }
    }
}
