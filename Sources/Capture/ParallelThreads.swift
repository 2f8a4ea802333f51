internal import Glibc

/// Runs work on as many threads as there are pieces of it, and waits for all.
///
/// For system calls that mostly wait: opening and closing packet rings each wait for one or more grace periods of the
/// kernel (synchronize_rcu, some 6 to 13 ms), and grace periods are shared by all who wait at the same time.
/// `setns` in a piece of work changes only that thread.
enum ParallelThreads {
    /// - Parameter body: called once for each position, on a thread of its own; on the calling thread only where no
    ///   thread can be started and it does not enter a namespace
    static func map<Element>(_ count: Int, _ body: @escaping (Int) -> Element) -> [Element] {
        let work = Work(count, body)
        let opaque = Unmanaged<AnyWork>.passUnretained(work).toOpaque()
        var threads: [pthread_t] = []
        for _ in 0..<count {
            var thread = pthread_t()
            let code = pthread_create(&thread, nil, { argument in
                Unmanaged<AnyWork>.fromOpaque(argument!).takeUnretainedValue().runNext()
                return nil
            }, opaque)
            if code == 0 { threads.append(thread) }
        }
        for thread in threads { pthread_join(thread, nil) }
        return work.takeResults()
    }
}
