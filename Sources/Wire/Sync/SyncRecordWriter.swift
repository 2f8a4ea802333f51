/// Packs records into one message until it is full.
///
///     var writer = SyncRecordWriter(buffer, key: key)
///     while writer.hasRoom, let next = queue.next() { writer.append(next) }
///     let length = writer.finish(header)
public struct SyncRecordWriter {
    private let buffer: UnsafeMutableRawBufferPointer
    private let key: SyncKey?
    /// Where records end: behind them comes the authenticator.
    private let end: Int
    private var offset: Int
    public private(set) var count = 0

    /// - Parameters:
    ///   - buffer: where the message is written, from its first byte; the caller keeps it until `finish`
    ///   - key: the pair's, whose authenticator takes 16 bytes
    public init(_ buffer: UnsafeMutableRawBufferPointer, key: SyncKey? = nil) {
        self.buffer = buffer
        self.key = key
        end = min(buffer.count, 0xffff) - (SyncHeader.overhead(key) - SyncHeader.length)
        offset = SyncHeader.length + SyncMessage.Body.recordsHead
    }

    /// Whether every record still fits, whatever its kind.
    public var hasRoom: Bool { offset + SyncRecord.maximumLength <= end }

    /// - Returns: false where the message has no room for it; nothing was written
    @discardableResult
    public mutating func append(_ record: SyncRecord) -> Bool {
        let length = record.length
        guard offset + length <= end, count < 0xffff, let base = buffer.baseAddress else { return false }
        record.emit(uncheckedBase: base + offset)
        offset += length
        count += 1
        return true
    }

    /// Writes the head of the message.
    /// - Returns: the message's bytes; nil where not even an empty message fits
    public func finish(_ header: SyncHeader) -> Int? {
        guard let base = buffer.baseAddress, offset <= end else { return nil }
        let body = base + SyncHeader.length
        body.write(UInt16(count), at: 0)
        body.write(UInt16(0), at: 2)
        return header.emit(
            uncheckedBase: base, kind: .records, bodyLength: offset - SyncHeader.length, key: key)
    }
}
