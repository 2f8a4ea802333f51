internal import CLinux
internal import Glibc
internal import SystemPackage

/// Writes a nanosecond pcap file, whole records at a time.
///
/// What is written ends at the end of a record whenever it was written with success, and is cut back to there where
/// the disk is full. So whatever ends the process, tshark reads the file up to the last flush. (`pcap_dump` leaves
/// the choice of the place to stdio, which writes halves of records.)
///
/// ```
/// file:   magic a1b23c4d │ version 2.4 │ 0 │ 0 │ snap length │ link type 1       24 bytes
/// record: seconds │ nanoseconds │ captured length │ original length │ bytes       16 bytes and the frame's
/// ```
/// in host byte order. Source: pcap-savefile(5)
struct CaptureFileWriter: ~Copyable {
    static let fileHeaderLength = 24
    static let recordHeaderLength = 16

    private let descriptor: Int32
    /// Grows while frames arrive, and is freed when they do not: a lab may have thousands of quiet interfaces.
    private var buffer: UnsafeMutableRawBufferPointer
    private var used = 0
    private var bufferedRecords = 0
    /// Bytes in the file; all whole records.
    private var fileLength: off_t = 0

    /// Creates a file, or empties the one that is there, and writes its header.
    /// - Throws: the `Errno` of open(2) or write(2)
    static func create(path: String, snapLength: Int) throws(Errno) -> CaptureFileWriter {
        let descriptor = cl_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw Errno(rawValue: -descriptor) }
        var writer = CaptureFileWriter(takingOver: descriptor, snapLength: snapLength)
        try writer.flush()
        return writer
    }

    private static let smallestBuffer = 4096
    /// A single longer record has a buffer of its length.
    private static let largestBuffer = 128 << 10

    private init(takingOver descriptor: Int32, snapLength: Int) {
        self.descriptor = descriptor
        buffer = .allocate(byteCount: Self.smallestBuffer, alignment: 16)
        put(UInt32(0xa1b2_3c4d), at: 0)
        put(UInt16(2), at: 4)
        put(UInt16(4), at: 6)
        put(UInt64(0), at: 8)
        put(UInt32(clamping: snapLength), at: 16)
        put(UInt32(1), at: 20)
        used = Self.fileHeaderLength
    }

    deinit {
        close(descriptor)
        buffer.deallocate()
    }

    var hasBufferedRecords: Bool { bufferedRecords > 0 }

    /// Bytes of the file, with those that are not written yet.
    var length: Int { Int(fileLength) + used }

    /// Frees the buffer's memory, where nothing is in it.
    mutating func letGoOfBuffer() {
        guard used == 0, buffer.count > 0 else { return }
        buffer.deallocate()
        buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    /// Bytes of a frame in the file.
    @inline(__always)
    static func recordLength(_ frame: RingFrame, snapLength: Int) -> Int {
        recordHeaderLength + min(frame.bytes.count + (frame.tag == nil ? 0 : RingFrame.Tag.length), snapLength)
    }

    /// Takes one record into the buffer, with the VLAN tag where it stood on the wire; writes the buffer out first
    /// where it is full.
    /// - Throws: what `flush` throws; then this record is not taken
    @inline(__always)
    mutating func append(_ frame: RingFrame, snapLength: Int) throws(Errno) {
        let length = Self.recordLength(frame, snapLength: snapLength)
        try makeRoom(for: length)
        put(frame.seconds, at: used)
        put(frame.nanoseconds, at: used + 4)
        put(UInt32(truncatingIfNeeded: length - Self.recordHeaderLength), at: used + 8)
        put(frame.lengthOnWire, at: used + 12)
        var place = used + Self.recordHeaderLength
        let end = used + length
        if let base = frame.bytes.baseAddress {
            if let tag = frame.tag {
                // The addresses, the tag, and the rest: a snap length is 64 at least.
                (buffer.baseAddress! + place).copyMemory(from: base, byteCount: RingFrame.Tag.offset)
                put(tag.tagProtocol.bigEndian, at: place + RingFrame.Tag.offset)
                put(tag.control.bigEndian, at: place + RingFrame.Tag.offset + 2)
                place += RingFrame.Tag.offset + RingFrame.Tag.length
                (buffer.baseAddress! + place).copyMemory(from: base + RingFrame.Tag.offset, byteCount: end - place)
            } else {
                (buffer.baseAddress! + place).copyMemory(from: base, byteCount: end - place)
            }
        }
        used = end
        bufferedRecords += 1
    }

    private mutating func makeRoom(for length: Int) throws(Errno) {
        if used + length <= buffer.count { return }
        if used + length > Self.largestBuffer, used > 0 { try flush() }
        guard used + length > buffer.count else { return }
        var size = max(buffer.count, Self.smallestBuffer)
        while size < used + length { size *= 2 }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        if used > 0 { larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<used])) }
        buffer.deallocate()
        buffer = larger
    }

    /// Writes the buffer out.
    /// - Throws: the `Errno` of write(2). The file then ends with the last record that fitted, and the buffer is
    ///   empty; `lostRecords` counts those that did not fit.
    mutating func flush() throws(Errno) {
        var written = 0
        while written < used {
            let count = write(descriptor, buffer.baseAddress! + written, used - written)
            if count > 0 {
                written += count
            } else if errno != EINTR {
                let code = errno
                cutBack(written)
                throw Errno(rawValue: code)
            }
        }
        fileLength += off_t(used)
        used = 0
        bufferedRecords = 0
    }

    private(set) var lostRecords = 0

    /// Shortens the file to the records of which every byte was written.
    private mutating func cutBack(_ written: Int) {
        var kept = fileLength == 0 ? min(written, Self.fileHeaderLength) : 0
        while fileLength > 0, kept + Self.recordHeaderLength <= written {
            let length = buffer.loadUnaligned(fromByteOffset: kept + 8, as: UInt32.self)
            guard kept + Self.recordHeaderLength + Int(length) <= written else { break }
            kept += Self.recordHeaderLength + Int(length)
            bufferedRecords -= 1
        }
        lostRecords += bufferedRecords
        fileLength += off_t(kept)
        _ = ftruncate(descriptor, fileLength)
        _ = lseek(descriptor, fileLength, SEEK_SET)
        used = 0
        bufferedRecords = 0
    }

    @inline(__always)
    private func put(_ value: some FixedWidthInteger & BitwiseCopyable, at offset: Int) {
        buffer.baseAddress!.storeBytes(of: value, toByteOffset: offset, as: type(of: value))
    }
}
