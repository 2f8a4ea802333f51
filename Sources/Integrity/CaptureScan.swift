/// Reads a capture file as a run writes it, chunk by chunk: nanosecond pcap of Ethernet, whole records, nothing behind
/// the last. Anything else is damage.
///
/// ```
/// file:   magic a1b23c4d │ version 2.4 │ 0 │ 0 │ snap length │ link type 1       24 bytes
/// record: seconds │ nanoseconds │ captured length │ original length │ bytes       16 bytes and the frame's
/// ```
/// in the byte order of the machine that wrote it. Source: pcap-savefile(5)
struct CaptureScan {
    static let magic: UInt32 = 0xa1b2_3c4d
    /// No frame of a lab is longer; a record with a longer one is invalid.
    static let longestFrame = 262_144
    /// Beyond these frames only the file itself is examined.
    static let mostSamples = 4_000_000

    private(set) var samples: [FrameSample] = []
    private(set) var frames = 0
    /// Why reading ended early, in words.
    private(set) var problem: String?
    private var isSwapped: Bool?
    /// The beginning of a record whose end is in the next chunk.
    private var rest: [UInt8] = []

    var hasAllSamples: Bool { frames == samples.count }

    mutating func consume(_ chunk: UnsafeRawBufferPointer) {
        guard problem == nil else { return }
        if rest.isEmpty {
            let used = read(chunk)
            rest = Array(chunk[used...])
        } else {
            rest += chunk
            let used = rest.withUnsafeBytes { read($0) }
            rest.removeFirst(used)
        }
    }

    mutating func finish() {
        guard problem == nil else { return }
        if isSwapped == nil {
            problem = "it has no header"
        } else if !rest.isEmpty {
            problem = "it ends within frame \(frames + 1)"
        }
    }

    /// - Returns: bytes of whole records
    private mutating func read(_ bytes: UnsafeRawBufferPointer) -> Int {
        var offset = 0
        if isSwapped == nil {
            guard bytes.count >= 24 else { return 0 }
            readHeader(bytes)
            guard problem == nil else { return bytes.count }
            offset = 24
        }
        let isSwapped = isSwapped ?? false
        func word(_ offset: Int) -> Int {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
            return Int(isSwapped ? word.byteSwapped : word)
        }
        // Guard: the record's header lies within the chunk.
        while offset + 16 <= bytes.count {
            let (seconds, nanoseconds) = (word(offset), word(offset + 4))
            let (length, original) = (word(offset + 8), word(offset + 12))
            guard length <= Self.longestFrame, original >= length, original <= Self.longestFrame,
                nanoseconds < 1_000_000_000
            else {
                problem = "the record after frame \(frames) is not that of a frame"
                return bytes.count
            }
            guard offset + 16 + length <= bytes.count else { break }
            frames += 1
            if samples.count < Self.mostSamples {
                samples.append(
                    FrameSample(
                        UnsafeRawBufferPointer(rebasing: bytes[(offset + 16)..<(offset + 16 + length)]),
                        originalLength: original, time: Int64(seconds) * 1_000_000_000 + Int64(nanoseconds)))
            }
            offset += 16 + length
        }
        return offset
    }

    private mutating func readHeader(_ bytes: UnsafeRawBufferPointer) {
        let magic = bytes.loadUnaligned(as: UInt32.self)
        guard magic == Self.magic || magic.byteSwapped == Self.magic else {
            problem =
                magic == 0xa1b2_c3d4 || magic.byteSwapped == 0xa1b2_c3d4
                ? "its times are in microseconds, but runs write nanoseconds" : "it is not a capture that a run writes"
            return
        }
        let isSwapped = magic != Self.magic
        func half(_ offset: Int) -> UInt16 {
            let half = bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
            return isSwapped ? half.byteSwapped : half
        }
        func word(_ offset: Int) -> UInt32 {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
            return isSwapped ? word.byteSwapped : word
        }
        if half(4) != 2 || half(6) != 4 {
            problem = "its version is \(half(4)).\(half(6)), but runs write 2.4"
        } else if word(20) != 1 {
            problem = "its link type is \(word(20)), but runs capture Ethernet (1)"
        }
        self.isSwapped = isSwapped
    }
}
