public import LabTime

/// One frame as a capture file holds it.
public struct CapturedFrame: Hashable, Sendable {
    /// The file's path, relative to the variant's folder: `captures/lb.inside.pcap`.
    public var capture: String
    /// Counted from 1 over all frames of the file, as Wireshark counts, whatever the filter.
    public var number: Int
    /// The kernel's stamp.
    public var time: Timestamp
    /// The bytes that were captured, from the Ethernet header on.
    public var bytes: [UInt8]
    /// Bytes on the wire; more than `bytes.count` where the capture was cut at its snap length.
    public var originalLength: Int

    public init(capture: String, number: Int, time: Timestamp, bytes: [UInt8], originalLength: Int? = nil) {
        self.capture = capture
        self.number = number
        self.time = time
        self.bytes = bytes
        self.originalLength = originalLength ?? bytes.count
    }
}
