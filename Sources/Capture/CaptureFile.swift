internal import CPcap
public import LabTime

/// A capture file, read from its first frame to its last. Files in microseconds and in nanoseconds, of either byte
/// order, and pcapng; of Ethernet.
public struct CaptureFile: ~Copyable {
    /// One frame, in libpcap's memory until the next one is read.
    public struct Record {
        /// From 1 over all frames of the file, as Wireshark counts.
        public let number: Int
        public let time: Timestamp
        /// Bytes on the wire.
        public let originalLength: Int
        public let bytes: UnsafeRawBufferPointer
    }

    public let path: String
    private let handle: OpaquePointer
    /// Frames read so far.
    public private(set) var count = 0
    /// The file ends within a record: whatever wrote it was killed while it wrote. What came before it is whole.
    public private(set) var isTruncated = false
    private var isAtEnd = false

    public init(path: String) throws(CaptureError) {
        let opened = try Self.open(path)
        self.path = path
        handle = opened
    }

    private static func open(_ path: String) throws(CaptureError) -> OpaquePointer {
        var words = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        let opened = pcap_open_offline_with_tstamp_precision(path, UInt32(PCAP_TSTAMP_PRECISION_NANO), &words)
        guard let opened else {
            let said = String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw CaptureError(.cannotReadFile, path: path, detail: said)
        }
        let link = pcap_datalink(opened)
        guard link == DLT_EN10MB else {
            pcap_close(opened)
            let name = pcap_datalink_val_to_name(link).map { String(cString: $0) } ?? "number \(link)"
            throw CaptureError(.cannotReadFile, path: path, detail: "its link type is \(name), not Ethernet (EN10MB)")
        }
        return opened
    }

    deinit { pcap_close(handle) }

    /// The next frame that the filter selects; frames that it passes over are counted. nil at the end of the file, or
    /// where the last record is cut off.
    /// - Throws: where a record is not what a record can be
    public mutating func next(matching filter: CaptureFilter? = nil) throws(CaptureError) -> Record? {
        while !isAtEnd {
            var header: UnsafeMutablePointer<pcap_pkthdr>?
            var start: UnsafePointer<UInt8>?
            switch pcap_next_ex(handle, &header, &start) {
            case 1:
                guard let header = header?.pointee else { continue }
                count += 1
                let bytes = UnsafeRawBufferPointer(start: start, count: Int(header.caplen))
                if let filter, !filter.matches(bytes, originalLength: Int(header.len)) { continue }
                // With nanosecond precision, tv_usec holds nanoseconds.
                let time = Int64(header.ts.tv_sec) * 1_000_000_000 + Int64(header.ts.tv_usec)
                return Record(
                    number: count, time: Timestamp(nanoseconds: time), originalLength: Int(header.len), bytes: bytes)
            case PCAP_ERROR_BREAK:
                isAtEnd = true
            default:
                isAtEnd = true
                let said = String(cString: pcap_geterr(handle))
                // libpcap has no code of its own for it.
                guard said.hasPrefix("truncated dump file") else {
                    throw CaptureError(
                        .cannotReadFile, path: path, detail: "after \(count) frames: \(said)")
                }
                isTruncated = true
            }
        }
        return nil
    }
}
