internal import NIOCore

/// Buffers that wait for their next use, so that a message costs no allocation. Used on its event loop alone.
final class BufferPool {
    private static let capacity = 1024
    /// A buffer that a large message has made grow is not kept.
    private static let mostCapacity = 16_384
    private static let mostBuffers = 64

    private var free: [ByteBuffer] = []

    /// An empty buffer.
    func take() -> ByteBuffer { free.popLast() ?? ByteBufferAllocator().buffer(capacity: Self.capacity) }

    /// A buffer that is still waiting to be sent may be given back, too: clearing it gives it new bytes.
    func giveBack(_ buffer: inout ByteBuffer) {
        let capacity = buffer.capacity
        if capacity >= Self.capacity, capacity <= Self.mostCapacity, free.count < Self.mostBuffers {
            var empty = ByteBuffer()
            swap(&empty, &buffer)
            empty.clear()
            free.append(empty)
        } else {
            buffer = ByteBuffer()
        }
    }
}
