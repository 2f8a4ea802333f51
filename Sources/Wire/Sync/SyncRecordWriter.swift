/// Packs session records into one message until it is full.
///
///     var writer = SyncRecordWriter(buffer)
///     while let next = queue.first, writer.append(next) { queue.removeFirst() }
///     let length = writer.finish(header)
public struct SyncRecordWriter {
    private let buffer: UnsafeMutableRawBufferPointer
    public private(set) var count = 0
    /// How many records the buffer holds.
    public let capacity: Int

    /// - Parameter buffer: where the message is written, from its first byte; the caller keeps it until `finish`
    public init(_ buffer: UnsafeMutableRawBufferPointer) {
        self.buffer = buffer
        capacity = Self.capacity(bytes: buffer.count)
    }

    /// How many records a message of so many bytes holds: 32 for the 1472 that an Ethernet frame has room for.
    public static func capacity(bytes: Int) -> Int {
        let room = min(bytes, 0xffff) - SyncHeader.length - SyncMessage.Body.recordsHead
        return max(0, room / SessionRecord.length)
    }

    public var isFull: Bool { count == capacity }

    /// - Returns: false where the message is full; nothing was written
    public mutating func append(_ record: SessionRecord) -> Bool {
        guard count < capacity, let base = buffer.baseAddress else { return false }
        let offset = SyncHeader.length + SyncMessage.Body.recordsHead + count * SessionRecord.length
        record.emit(uncheckedBase: base + offset)
        count += 1
        return true
    }

    /// Writes the head of the message.
    /// - Returns: the message's bytes; nil where not even an empty message fits
    public func finish(_ header: SyncHeader) -> Int? {
        let head = SyncMessage.Body.recordsHead
        guard let base = buffer.baseAddress, buffer.count >= SyncHeader.length + head else { return nil }
        let body = base + SyncHeader.length
        body.write(UInt16(count), at: 0)
        body.write(UInt16(SessionRecord.length), at: 2)
        return header.emit(uncheckedBase: base, kind: .records, bodyLength: head + count * SessionRecord.length)
    }
}
