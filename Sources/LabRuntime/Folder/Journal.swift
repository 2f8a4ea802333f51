internal import CLinux
internal import Evidence
internal import Glibc
internal import SystemPackage

/// `events.jsonl`: one line an event, written at once, so that a killed lab leaves what happened until then.
final class Journal {
    private let descriptor: Int32
    private let path: String
    private(set) var events: [LabEvent] = []

    init(path: String) throws(LabFailure) {
        self.path = path
        descriptor = cl_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o644)
        guard descriptor >= 0 else {
            throw LabFailure(.lab, "'\(path)' cannot be written: \(Errno(rawValue: -descriptor))")
        }
    }

    func append(_ event: LabEvent) throws(LabFailure) {
        events.append(event)
        var line = JSONLine.encode(event)
        line.append(UInt8(ascii: "\n"))
        guard write(descriptor, line, line.count) == line.count else {
            throw LabFailure(.lab, "'\(path)' cannot be written: \(Errno(rawValue: errno))")
        }
    }

    deinit { close(descriptor) }
}
