internal import CLinux
internal import Evidence
internal import Foundation
internal import Glibc
public import Integrity
internal import SystemPackage

/// The files of a variant's folder, read in pieces.
public struct FolderBytes: EvidenceBytes {
    private static let pieceSize = 1 << 19
    public let folder: RunFolder

    public init(_ folder: RunFolder) { self.folder = folder }

    public func visit(_ path: String, _ body: (UnsafeRawBufferPointer) -> Void) throws {
        // Without O_NONBLOCK a FIFO would wait for somebody who writes.
        let descriptor = cl_open("\(folder.path)/\(path)", O_RDONLY | O_NONBLOCK, 0)
        guard descriptor >= 0 else { throw Unreadable("it cannot be read: \(Errno(rawValue: -descriptor))") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Unreadable("it is no regular file")
        }
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceSize, alignment: 16)
        defer { piece.deallocate() }
        while true {
            let count = read(descriptor, piece.baseAddress!, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw Unreadable("it cannot be read: \(Errno(rawValue: errno))") }
            if count == 0 { return }
            body(UnsafeRawBufferPointer(rebasing: piece[..<count]))
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
            .filter { $0.hasSuffix(".access.jsonl") }.map { "logs/\($0)" }
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
