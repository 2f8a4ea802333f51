internal import NIOCore

/// What is written between two flushes, gathered so that a small message leaves by one system call.
struct GatheredOutput {
    /// Pieces from here on are written as they are, without a copy.
    private static let large = 8192

    private var pending: ByteBuffer?

    var isEmpty: Bool { pending == nil }

    mutating func append(_ pool: BufferPool, _ body: (inout ByteBuffer) -> Void) {
        var buffer = pending.take() ?? pool.take()
        body(&buffer)
        pending = buffer
    }

    mutating func append(_ piece: ByteBuffer, _ pool: BufferPool, writing write: (ByteBuffer) -> Void) {
        if piece.readableBytes < Self.large {
            append(pool) { $0.writeImmutableBuffer(piece) }
        } else {
            if let pending = pending.take() { write(pending) }
            write(piece)
        }
    }

    /// A piece of a chunked body: RFC 9112, 7.1.
    mutating func appendChunk(_ piece: ByteBuffer, _ pool: BufferPool, writing write: (ByteBuffer) -> Void) {
        append(pool) {
            $0.writeString(String(piece.readableBytes, radix: 16))
            $0.writeStaticString("\r\n")
        }
        append(piece, pool, writing: write)
        append(pool) { $0.writeStaticString("\r\n") }
    }

    /// What is to be written now.
    /// - Precondition: it is not empty
    mutating func take() -> ByteBuffer { pending.take()! }
}
