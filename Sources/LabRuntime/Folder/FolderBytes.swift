internal import Evidence
internal import Foundation
public import Integrity
internal import RegularFile
internal import SystemPackage

/// The files of a variant's folder, read in pieces.
public struct FolderBytes: EvidenceBytes {
    public let folder: RunFolder

    public init(_ folder: RunFolder) { self.folder = folder }

    public func visit(_ path: String, _ body: (UnsafeRawBufferPointer) -> Void) throws {
        do throws(RegularFile.Problem) {
            try RegularFile("\(folder.path)/\(path)").visit { piece in
                body(piece)
                return true
            }
        } catch {
            switch error {
            case .unreadable(let code): throw Unreadable("it cannot be read: \(Errno(rawValue: code))")
            case .notRegular, .tooLarge: throw Unreadable("it is not a regular file")
            }
        }
    }

    private struct Unreadable: Error, CustomStringConvertible {
        var description: String

        init(_ what: String) { description = what }
    }

    /// What is recorded in `run.json` of every file that a verdict depends on, when nothing writes to them any more.
    /// - Complexity: one pass over all files
    func records(of captures: [CaptureSummary]) throws(LabFailure) -> [FileRecord] {
        let logs = ((try? FileManager.default.contentsOfDirectory(atPath: folder.logs)) ?? []).sorted()
            .filter { $0.hasSuffix(RunFolder.requestsSuffix) }.map { "logs/\($0)" }
        let own = [folder.lab, folder.events, folder.traffic, folder.captureSummaries, folder.counters, folder.delays]
            .map { String($0.dropFirst(folder.path.count + 1)) }
        return try (own + logs + captures.map(\.path)).map { path throws(LabFailure) in
            let hasLines = path.hasSuffix(".jsonl")
            var (digest, lines) = (EvidenceDigest(), 0)
            do {
                try visit(path) { piece in
                    digest.update(piece)
                    if hasLines { lines += piece.count { $0 == UInt8(ascii: "\n") } }
                }
            } catch {
                throw LabFailure(.lab, "'\(folder.path)/\(path)': \(error)")
            }
            return FileRecord(
                path: path, bytes: digest.count, lines: hasLines ? lines : nil, digest: digest.text)
        }
    }
}
