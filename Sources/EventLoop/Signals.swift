internal import CLinux
internal import Glibc
public import SystemPackage

extension EventLoop {
    /// Blocks the signals for this thread and calls `handler` with the number of each one that arrives.
    public func handleSignals(_ signals: [Int32], handler: @escaping (Int32) -> Void) throws(Errno) {
        let descriptor = signals.withUnsafeBufferPointer { cl_signalfd($0.baseAddress, Int32($0.count)) }
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        own(descriptor)
        try watch(descriptor) { _ in
            while case let signal = cl_signalfd_next(descriptor), signal != 0 { handler(signal) }
        }
    }
}
