internal import NIOCore

/// What is written between two flushes, gathered so that a small message leaves by one system call.
struct GatheredOutput {
    /// Pieces from here on are written as they are, without a copy.
    private static let large = 8192

    private(set) var pending = ByteBuffer()

    var isEmpty: Bool { pending.readableBytes == 0 }

    mutating func append(_ body: (inout ByteBuffer) -> Void) { body(&pending) }

    mutating func append(_ piece: ByteBuffer, writing write: (ByteBuffer) -> Void) {
        if piece.readableBytes < Self.large {
            pending.writeImmutableBuffer(piece)
        } else {
            flush(write)
            write(piece)
        }
    }

    /// A piece of a chunked body: RFC 9112, 7.1.
    mutating func appendChunk(_ piece: ByteBuffer, writing write: (ByteBuffer) -> Void) {
        pending.writeString(String(piece.readableBytes, radix: 16))
        pending.writeStaticString("\r\n")
        append(piece, writing: write)
        pending.writeStaticString("\r\n")
    }

    mutating func flush(_ write: (ByteBuffer) -> Void) {
        guard !isEmpty else { return }
        write(pending)
        pending = ByteBuffer()
    }
}
