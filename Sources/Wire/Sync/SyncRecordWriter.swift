/// Packs records of one family into one message until it is full.
///
///     var writer = SyncRecordWriter<IPv4>(buffer, key: key)
///     while writer.hasRoom, let next = queue.next() { writer.append(next) }
///     let length = writer.finish(header)
public struct SyncRecordWriter<Family: AddressFamily> {
    @usableFromInline let buffer: UnsafeMutableRawBufferPointer
    @usableFromInline let key: SyncKey?
    /// Where records end: behind them comes the authenticator.
    @usableFromInline let end: Int
    @usableFromInline var offset: Int
    @usableFromInline var written = 0
    @inlinable public var count: Int { written }

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
    @inlinable public var hasRoom: Bool { offset + SyncRecord<Family>.maximumLength <= end }

    /// - Returns: false where the message has no room for it; nothing was written
    @inlinable
    @discardableResult
    public mutating func append(_ record: SyncRecord<Family>) -> Bool {
        let length = record.length
        guard offset + length <= end, written < 0xffff, let base = buffer.baseAddress else { return false }
        record.emit(uncheckedBase: base + offset)
        offset += length
        written += 1
        return true
    }

    /// Writes the head of the message, which names the family.
    /// - Returns: the message's bytes; nil where not even an empty message fits
    public func finish(_ header: SyncHeader) -> Int? {
        guard let base = buffer.baseAddress, offset <= end else { return nil }
        var header = header
        header.family = Family.version
        let body = base + SyncHeader.length
        body.write(UInt16(count), at: 0)
        body.write(UInt16(0), at: 2)
        return header.emit(
            uncheckedBase: base, kind: .records, bodyLength: offset - SyncHeader.length, key: key)
    }
}
