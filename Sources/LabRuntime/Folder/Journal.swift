internal import Evidence
internal import SystemPackage

/// `events.jsonl`: one line an event, written at once, so that a killed lab leaves what happened until then. Of very many
/// the first and the newest are kept.
final class Journal {
    private let path: String
    private let file: BoundedFile
    /// The run is complete: what happens while its lab is taken down is no part of it.
    private var isClosed = false

    init(path: String, bounds: FileBounds = .events) throws(LabFailure) {
        self.path = path
        file = BoundedFile(try RunFiles.create(path), bounds, line: LeftOutLine.ofEvents)
    }

    /// - Throws: `LabFailure` that names the file and the kernel's reason
    func append(_ event: LabEvent) throws(LabFailure) {
        guard !isClosed else { return }
        do throws(Errno) {
            try file.append(JSONLine.encode(event) + [UInt8(ascii: "\n")])
        } catch {
            throw LabFailure(.lab, "'\(path)' cannot be written: \(error)")
        }
    }

    func finish() { isClosed = true }

    var gap: BoundedFile.Gap? { file.gap }
}
