/// The header of a TCP segment with the two options that a middlebox must know.
@frozen
public struct TCPHeader: Hashable, Sendable {
    /// Bytes of a header without options.
    public static var minimumLength: Int { @inlinable get { 20 } }

    public var sourcePort: UInt16
    public var destinationPort: UInt16
    public var sequence: UInt32
    public var acknowledgement: UInt32
    public var flags: TCPFlags
    public var window: UInt16
    /// The largest segment that the sender takes; nil where the option is absent. Source: RFC 9293, 3.2
    public var maximumSegmentSize: UInt16?
    /// Shift of the window; nil where the option is absent. Source: RFC 7323, 2.2
    public var windowScale: UInt8?
    /// Bytes from the header's start to the value of the maximum segment size; 0 where the option is absent or the
    /// header was not parsed.
    public private(set) var maximumSegmentSizeOffset: UInt8

    public init(
        sourcePort: UInt16, destinationPort: UInt16, sequence: UInt32, acknowledgement: UInt32 = 0, flags: TCPFlags,
        window: UInt16, maximumSegmentSize: UInt16? = nil, windowScale: UInt8? = nil
    ) {
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.sequence = sequence
        self.acknowledgement = acknowledgement
        self.flags = flags
        self.window = window
        self.maximumSegmentSize = maximumSegmentSize
        self.windowScale = windowScale
        maximumSegmentSizeOffset = 0
    }

    /// Reads a header that somebody checked: `headerLength` bytes are there, and at least 20.
    @usableFromInline
    init(uncheckedBase base: UnsafeRawPointer, headerLength: Int) {
        self.init(
            sourcePort: base.readUInt16(at: 0), destinationPort: base.readUInt16(at: 2),
            sequence: base.readUInt32(at: 4), acknowledgement: base.readUInt32(at: 8),
            flags: TCPFlags(rawValue: base.readUInt8(at: 13)), window: base.readUInt16(at: 14))
        var offset = Self.minimumLength
        while offset < headerLength {
            let kind = base.readUInt8(at: offset)
            if kind == Option.end { break }
            if kind == Option.noOperation {
                offset &+= 1
                continue
            }
            // An option that has no length, or runs over the header's end, ends the reading: what was read stays.
            guard offset &+ 1 < headerLength else { break }
            let length = Int(base.readUInt8(at: offset &+ 1))
            guard length >= 2, offset &+ length <= headerLength else { break }
            if kind == Option.maximumSegmentSize, length == 4 {
                maximumSegmentSize = base.readUInt16(at: offset &+ 2)
                maximumSegmentSizeOffset = UInt8(truncatingIfNeeded: offset &+ 2)
            } else if kind == Option.windowScale, length == 3 {
                windowScale = base.readUInt8(at: offset &+ 2)
            }
            offset &+= length
        }
    }

    enum Option {
        static let end: UInt8 = 0
        static let noOperation: UInt8 = 1
        static let maximumSegmentSize: UInt8 = 2
        static let windowScale: UInt8 = 3
    }

    /// Bytes of this header with its options, a multiple of 4.
    public var length: Int {
        Self.minimumLength + (maximumSegmentSize == nil ? 0 : 4) + (windowScale == nil ? 0 : 4)
    }

    /// Writes the header in front of a payload that is in the buffer already, behind `length` bytes, checksum included.
    /// - Returns: the header's bytes; nil where header and payload do not fit
    public func emit(
        into buffer: UnsafeMutableRawBufferPointer, payloadLength: Int, source: IPv4Address, destination: IPv4Address
    ) -> Int? {
        var sum = Checksum()
        sum.addPseudoHeader(source: source, destination: destination, protocol: .tcp, length: length &+ payloadLength)
        return emit(into: buffer, payloadLength: payloadLength, pseudoHeader: sum)
    }

    /// The same over IPv6.
    public func emit(
        into buffer: UnsafeMutableRawBufferPointer, payloadLength: Int, source: IPv6Address, destination: IPv6Address
    ) -> Int? {
        var sum = Checksum()
        sum.addPseudoHeader(source: source, destination: destination, protocol: .tcp, length: length &+ payloadLength)
        return emit(into: buffer, payloadLength: payloadLength, pseudoHeader: sum)
    }

    private func emit(
        into buffer: UnsafeMutableRawBufferPointer, payloadLength: Int, pseudoHeader: Checksum
    ) -> Int? {
        guard let base = buffer.baseAddress, payloadLength >= 0, payloadLength <= 0xffff - length,
            buffer.count >= length + payloadLength
        else { return nil }
        base.write(sourcePort, at: 0)
        base.write(destinationPort, at: 2)
        base.write(sequence, at: 4)
        base.write(acknowledgement, at: 8)
        base.write(UInt8(length / 4) << 4, at: 12)
        base.write(flags.rawValue, at: 13)
        base.write(window, at: 14)
        base.write(UInt16(0), at: 16)
        base.write(UInt16(0), at: 18)
        var offset = Self.minimumLength
        if let maximumSegmentSize {
            base.write(UInt16(Option.maximumSegmentSize) << 8 | 4, at: offset)
            base.write(maximumSegmentSize, at: offset + 2)
            offset += 4
        }
        if let windowScale {
            base.write(Option.noOperation, at: offset)
            base.write(Option.windowScale, at: offset + 1)
            base.write(UInt8(3), at: offset + 2)
            base.write(windowScale, at: offset + 3)
        }
        var sum = pseudoHeader
        sum.add(UnsafeRawPointer(base), count: length + payloadLength)
        base.write(sum.value, at: 16)
        return length
    }
}
