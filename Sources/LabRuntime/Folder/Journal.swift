internal import Evidence
internal import Glibc
internal import SystemPackage

/// `events.jsonl`: one line an event, written at once, so that a killed lab leaves what happened until then.
final class Journal {
    private let descriptor: Int32
    private let path: String
    private(set) var events: [LabEvent] = []
    /// The run is complete: what happens while its lab is taken down is no part of it.
    private var isClosed = false

    init(path: String) throws(LabFailure) {
        self.path = path
        descriptor = try RunFiles.create(path)
    }

    func append(_ event: LabEvent) throws(LabFailure) {
        guard !isClosed else { return }
        events.append(event)
        var line = JSONLine.encode(event)
        line.append(UInt8(ascii: "\n"))
        // A disk that fills up takes a part first, and says why only at the next call.
        var written = 0
        while written < line.count {
            let count = line.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, $0.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw LabFailure(.lab, "'\(path)' cannot be written: \(Errno(rawValue: errno))") }
            written += count
        }
    }

    func finish() { isClosed = true }

    deinit { close(descriptor) }
}
