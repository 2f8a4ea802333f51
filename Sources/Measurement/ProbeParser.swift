/// Finds the probe records in a byte stream, however TCP has cut it.
///
/// Bytes that cannot belong to a record are skipped one by one, and counted, until the next record begins. A record
/// whose filler is wrong is counted as corrupted and not reported. Memory: one header, whatever comes in.
public struct ProbeParser: Sendable {
    /// Bytes that belonged to no record.
    public private(set) var garbage = 0
    /// Records with a good header and a wrong filler.
    public private(set) var corrupted = 0

    private var header: [UInt8] = []
    /// The record whose header is complete and whose filler is still to come.
    private var open: ProbeRecord?
    /// Bytes of the open record seen so far, header included.
    private var seen = 0
    private var fillerIsIntact = true

    public init() {
        header.reserveCapacity(ProbeRecord.headerLength)
    }

    /// Whether the stream stands within a record.
    public var isWithinRecord: Bool { open != nil || !header.isEmpty }

    /// Takes the next bytes of the stream and calls `body` for every record that they complete, in order.
    public mutating func consume(_ bytes: UnsafeRawBufferPointer, _ body: (ProbeRecord) -> Void) {
        var index = 0
        while index < bytes.count {
            if let record = open {
                let end = min(bytes.count, index + record.length - seen)
                while index < end {
                    if bytes[index] != ProbeRecord.filler(sequence: record.sequence, offset: seen) {
                        fillerIsIntact = false
                    }
                    seen += 1
                    index += 1
                }
            } else {
                header.append(bytes[index])
                index += 1
                dropWhatCannotBegin()
                if header.count == ProbeRecord.headerLength { completeHeader() }
            }
            if let record = open, seen == record.length {
                if fillerIsIntact { body(record) } else { corrupted += 1 }
                open = nil
            }
        }
    }

    private mutating func completeHeader() {
        if let record = header.withUnsafeBytes({ ProbeRecord(header: $0) }) {
            open = record
            seen = ProbeRecord.headerLength
            fillerIsIntact = true
            header.removeAll(keepingCapacity: true)
        } else {
            // The magic is right and the length is not: the next record may begin within what was gathered.
            header.removeFirst()
            garbage += 1
            dropWhatCannotBegin()
        }
    }

    /// Removes bytes from the front until what is left could be the beginning of a header.
    private mutating func dropWhatCannotBegin() {
        while !header.isEmpty, !beginsLikeMagic {
            header.removeFirst()
            garbage += 1
        }
    }

    private var beginsLikeMagic: Bool {
        for position in 0..<min(4, header.count)
        where header[position] != UInt8(truncatingIfNeeded: ProbeRecord.magic >> (24 - 8 * position)) {
            return false
        }
        return true
    }
}
