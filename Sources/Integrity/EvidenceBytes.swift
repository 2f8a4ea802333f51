/// Where the files of a variant's folder come from.
public protocol EvidenceBytes: Sendable {
    /// Visits the bytes of a file in pieces, from the first to the last.
    /// - Parameter path: relative to the variant's folder
    /// - Throws: where it is missing, no regular file, or cannot be read
    func visit(_ path: String, _ body: (UnsafeRawBufferPointer) -> Void) throws
}
