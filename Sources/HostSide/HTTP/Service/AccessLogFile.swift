public import LabTime
internal import Glibc
internal import NIOCore

/// The access log's file, one JSON object a line. Lines gather while the service has something to do, and leave by one
/// system call before it waits again: in a quiet lab that is at once.
///
/// `@unchecked Sendable`: used on the host side's event loop alone.
public final class AccessLogFile: @unchecked Sendable {
    /// Beyond this it is not waited for the end of the turn.
    private static let most = 65_536

    private let descriptor: Int32
    private var lines = ByteBufferAllocator().buffer(capacity: 8192)
    private var clock = SecondText()

    /// - Parameter descriptor: opened for appending; closed with this object
    public init(descriptor: Int32) { self.descriptor = descriptor }

    func append(_ record: AccessRecord, on eventLoop: any EventLoop) {
        let isFirst = lines.readableBytes == 0
        record.write(into: &lines, &clock)
        lines.writeStaticString("\n")
        if lines.readableBytes >= Self.most { return flush() }
        // SwiftNIO runs what is submitted on its own thread after the events that it has at hand.
        if isFirst { eventLoop.assumeIsolated().execute { self.flush() } }
    }

    /// Whole lines in one call, so that those of two writers never mix. A full disk costs lines, not requests.
    func flush() {
        while lines.readableBytes > 0 {
            let written = lines.withUnsafeReadableBytes { write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { break }
            lines.moveReaderIndex(forwardBy: written)
        }
        lines.clear()
    }

    deinit { close(descriptor) }
}

/// The text of a time's second, made once for all of one second.
struct SecondText {
    private var second: Int64 = .min
    private var text: [UInt8] = []

    mutating func text(of time: Timestamp) -> [UInt8] {
        let second = time.nanoseconds / 1_000_000_000
        if second != self.second {
            self.second = second
            text = Array(time.description.utf8.prefix { $0 != UInt8(ascii: ".") })
        }
        return text
    }
}
