import LabEvents

/// Finds the end of a head in bytes that come piece by piece; looks at each byte once.
struct HeadScanner {
    private var lineStart = 0
    private var scanned = 0

    /// The length of the head with the empty line that ends it; nil while that has not come. 2 is an empty line alone.
    /// - Parameter bytes: from the head's first byte on; may only grow between calls
    /// - Throws: for a line that ends in LF without CR: RFC 9112, 2.2
    mutating func end(in bytes: UnsafeRawBufferPointer) throws(MessageFault) -> Int? {
        while let position = bytes[scanned...].firstIndex(of: HTTPCharacters.lf) {
            guard position > lineStart, bytes[position - 1] == HTTPCharacters.cr else { throw .bareLineEnding }
            let isEmpty = position - 1 == lineStart
            lineStart = position + 1
            scanned = lineStart
            if isEmpty { return lineStart }
        }
        scanned = bytes.count
        return nil
    }
}
