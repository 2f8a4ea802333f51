import LabEvents

/// Finds the end of a head in bytes that come piece by piece; looks at each byte once.
struct HeadScanner {
    private var lineStart = 0
    private var scanned = 0

    /// The length of the head with the empty line that ends it; nil while that has not come. 2 is an empty line alone.
    /// - Parameter bytes: from the head's first byte on; may only grow between calls
    /// - Throws: for a line that ends in LF without CR: RFC 9112, 2.2
    mutating func end(in bytes: UnsafeRawBufferPointer) throws(MessageFault) -> Int? {
        while let position = Self.lineFeed(in: bytes, from: scanned) {
            guard position > lineStart, bytes[position - 1] == HTTPCharacters.cr else { throw .bareLineEnding }
            let isEmpty = position - 1 == lineStart
            lineStart = position + 1
            scanned = lineStart
            if isEmpty { return lineStart }
        }
        scanned = bytes.count
        return nil
    }

    /// The place of the first LF from `start` on, eight bytes at a time; nil where there is none.
    private static func lineFeed(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        var position = start
        while position + 8 <= bytes.count {
            // The guard above: eight bytes are there. A byte of LF becomes zero.
            let word =
                UInt64(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                ^ 0x0A0A_0A0A_0A0A_0A0A
            // The borrow may mark bytes above the first zero, never one below it.
            let zeros = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
            if zeros != 0 { return position + zeros.trailingZeroBitCount / 8 }
            position += 8
        }
        while position < bytes.count {
            if bytes[position] == HTTPCharacters.lf { return position }
            position += 1
        }
        return nil
    }
}
