internal import LabTime
internal import Glibc
internal import HTTPExchange

/// The access log, one JSON object a line, to a file or to the pipe of who writes it. Lines gather while the service has
/// something to do, and leave by one system call before it waits again: in a quiet lab that is at once.
///
/// `@unchecked Sendable`: used on the thread of the HTTP services alone.
public final class AccessLogFile: @unchecked Sendable {
    /// Beyond this it is not waited for the end of the turn.
    private static let most = 65_536

    private let descriptor: Int32
    private let lines = MessageBuffer(capacity: 8192, keeping: 2 * most)
    private var clock = SecondText()

    /// - Parameter descriptor: of a pipe, or opened for appending; closed with this object
    public init(descriptor: Int32) { self.descriptor = descriptor }

    func append(_ record: AccessRecord) {
        record.write(into: lines, &clock)
        lines.append("\n")
        if lines.count >= Self.most { flush() }
    }

    /// Whole lines in one call, so that those of two writers never mix. A full disk costs lines, not requests.
    func flush() {
        var rest = lines.bytes
        while rest.count > 0 {
            let written = write(descriptor, rest.baseAddress, rest.count)
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { break }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
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
