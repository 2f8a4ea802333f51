internal import CLinux
internal import CPcap
internal import Glibc
public import LabTime
internal import SystemPackage

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
        // A FIFO in the file's place would block until a process writes.
        let descriptor = cl_open(path, O_RDONLY | O_NONBLOCK, 0)
        guard descriptor >= 0 else {
            throw CaptureError(.cannotReadFile, path: path, errno: Errno(rawValue: -descriptor))
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            let file = fdopen(descriptor, "r")
        else {
            close(descriptor)
            throw CaptureError(.cannotReadFile, path: path, detail: "it is not a regular file")
        }
        var words = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        let opened = pcap_fopen_offline_with_tstamp_precision(file, UInt32(PCAP_TSTAMP_PRECISION_NANO), &words)
        guard let opened else {
            fclose(file)
            let detail = String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw CaptureError(.cannotReadFile, path: path, detail: detail)
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
                let (seconds, isTooFar) = Int64(header.ts.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
                let (time, isBeyond) = seconds.addingReportingOverflow(Int64(header.ts.tv_usec))
                guard !isTooFar, !isBeyond else {
                    isAtEnd = true
                    throw CaptureError(
                        .cannotReadFile, path: path,
                        detail: "the time of frame \(count) is beyond the years 1678 to 2261")
                }
                return Record(
                    number: count, time: Timestamp(nanoseconds: time), originalLength: Int(header.len), bytes: bytes)
            case PCAP_ERROR_BREAK:
                isAtEnd = true
            default:
                isAtEnd = true
                let detail = String(cString: pcap_geterr(handle))
                // libpcap has no code of its own for it.
                guard detail.hasPrefix("truncated dump file") else {
                    throw CaptureError(
                        .cannotReadFile, path: path, detail: "after \(count) frames: \(detail)")
                }
                isTruncated = true
            }
        }
        return nil
    }
}
