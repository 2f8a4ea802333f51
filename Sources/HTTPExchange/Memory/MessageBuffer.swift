/// Memory in which bytes are put together; used again and again.
package final class MessageBuffer {
    private let usualCapacity: Int
    /// Memory that has grown beyond this is not kept.
    private let mostKept: Int
    private var memory: UnsafeMutableRawBufferPointer
    /// Bytes at the beginning that were removed already.
    private var removed = 0
    private var end = 0

    package init(capacity: Int = 1024, keeping mostKept: Int = 16_384) {
        (usualCapacity, self.mostKept) = (capacity, mostKept)
        memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { memory.deallocate() }

    package var count: Int { end - removed }
    package var isEmpty: Bool { end == removed }

    /// Valid until the next change.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[removed..<end]) }

    /// Appends what `body` writes into room for so many bytes; it returns how many it wrote.
    package func write(upTo most: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int) {
        reserve(most)
        end += body(UnsafeMutableRawBufferPointer(rebasing: memory[end...]))
    }

    package func append(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        (memory.baseAddress! + end).copyMemory(from: base, byteCount: bytes.count)
        end += bytes.count
    }

    package func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package func append(text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// The size of a chunk that follows: RFC 9112, 7.1.
    package func append(chunkSize size: Int) {
        write(upTo: 24) { memory in
            var text = WrittenText(memory)
            text.put(hexadecimal: size)
            text.put("\r\n")
            return text.count
        }
    }

    package func removeFirst(_ count: Int) { removed += min(count, self.count) }

    package func clear() {
        (removed, end) = (0, 0)
        guard memory.count > mostKept else { return }
        memory.deallocate()
        memory = .allocate(byteCount: usualCapacity, alignment: 16)
    }

    private func reserve(_ more: Int) {
        guard memory.count - end < more else { return }
        let count = count
        if memory.count - count >= more, removed >= count {
            // Moved only when that is seldom enough to cost nothing.
            memory.baseAddress!.copyMemory(from: memory.baseAddress! + removed, byteCount: count)
        } else {
            let grown = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(memory.count * 2, count + more), alignment: 16)
            grown.baseAddress!.copyMemory(from: memory.baseAddress! + removed, byteCount: count)
            memory.deallocate()
            memory = grown
        }
        (removed, end) = (0, count)
    }
}

/// Buffers that wait for their next use, so that a message costs no allocation. Used on one thread alone.
final class BufferPool {
    private static let mostBuffers = 64

    private var free: [MessageBuffer] = []

    /// An empty buffer.
    func take() -> MessageBuffer { free.popLast() ?? MessageBuffer() }

    /// To be used by nobody else any more.
    func giveBack(_ buffer: MessageBuffer) {
        guard free.count < Self.mostBuffers else { return }
        buffer.clear()
        free.append(buffer)
    }
}
