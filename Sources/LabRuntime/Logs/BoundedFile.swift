internal import CLinux
internal import Evidence
internal import Glibc
internal import SystemPackage

/// How much of what is written to a file stays on disk: its first part and its newest one.
struct FileBounds: Hashable, Sendable {
    /// Bytes of the first part, at most.
    var first: Int
    /// Bytes of the newest part, at least; it grows to twice as many before it is cut back.
    var newest: Int

    /// The file's most bytes, but for the line that stands for what is missing.
    var most: Int { first + 2 * newest }

    /// Of a node's or a program's log: its start, and its newest lines.
    static let log = FileBounds(first: 4 << 20, newest: 4 << 20)
    /// Of `events.jsonl`: some 100,000 events.
    static let events = FileBounds(first: 8 << 20, newest: 4 << 20)
    /// Of a balancer's access log: some 150,000 requests.
    static let requests = FileBounds(first: 32 << 20, newest: 16 << 20)
}

/// A file that is appended to without end, and that stays within its bounds.
///
///     first part │ a line that states what is missing │ newest part
///
/// Both parts consist of whole lines, unless a line is longer than a part. Everything is on disk at once; of a process
/// that is killed while the newest part is cut back, the end may be missing, and the line in the middle is right.
final class BoundedFile {
    /// What is missing between the two parts.
    struct Gap: Hashable {
        /// Bytes before it.
        var offset = 0
        var bytes = 0
        var lines = 0
        /// Its first and its last line, without their ends.
        var first: [UInt8] = []
        var last: [UInt8] = []
    }

    private static let newline = UInt8(ascii: "\n")

    private let descriptor: Int32
    private let bounds: FileBounds
    private let line: (Gap) -> [UInt8]
    private var size: Int
    /// Where the first part ends; nil while there is no other.
    private var firstEnds: Int?
    private var firstEndsLine = true
    /// Where the newest part begins: behind the first one, or behind the line between them.
    private var newestBegins = 0
    /// Whether the last byte that was written ends a line.
    private var endsLine = false
    /// nil as long as nothing is missing.
    private(set) var gap: Gap?

    /// - Parameters:
    ///   - descriptor: open for reading and appending, of a regular file; closed with this object
    ///   - line: that stands between the parts, with its end
    init(_ descriptor: Int32, _ bounds: FileBounds, line: @escaping (Gap) -> [UInt8]) {
        self.descriptor = descriptor
        self.bounds = bounds
        self.line = line
        var status = stat()
        size = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    deinit { close(descriptor) }

    /// - Complexity: linear in the bytes on average; each of them is written twice at most
    /// - Throws: the kernel's reason; a disk that is full has taken a part
    func append(_ bytes: [UInt8]) throws(Errno) {
        guard !bytes.isEmpty else { return }
        guard firstEnds == nil else { return try appendToNewest(bytes[...]) }
        let share = shareOfFirstPart(bytes)
        try write(bytes[..<share])
        guard share < bytes.count else { return }
        (firstEnds, newestBegins, firstEndsLine) = (size, size, endsLine)
        try appendToNewest(bytes[share...])
    }

    /// How many of the bytes still belong to the first part: whole lines.
    private func shareOfFirstPart(_ bytes: [UInt8]) -> Int {
        let room = max(0, bounds.first - size)
        if bytes.count <= room { return bytes.count }
        if let end = bytes[..<room].lastIndex(of: Self.newline) { return end + 1 }
        // A line that is longer than all of it is cut.
        return endsLine ? 0 : room
    }

    private func appendToNewest(_ bytes: ArraySlice<UInt8>) throws(Errno) {
        guard size - newestBegins + bytes.count > 2 * bounds.newest else { return try write(bytes) }
        var newest = try read(from: newestBegins, count: size - newestBegins)
        newest += bytes
        var kept = newest.count - bounds.newest
        // From the beginning of a line on, unless it is one line alone.
        if let end = newest[(kept - 1)...].firstIndex(of: Self.newline), end + 1 < newest.count { kept = end + 1 }
        leaveOut(newest[..<kept])
        try cut(to: firstEnds ?? 0)
        try write(((firstEndsLine ? [] : [Self.newline]) + line(gap ?? Gap()))[...])
        newestBegins = size
        try write(newest[kept...])
    }

    private func leaveOut(_ bytes: ArraySlice<UInt8>) {
        var gap = gap ?? Gap(offset: firstEnds ?? 0)
        if gap.bytes == 0 { gap.first = Array(bytes.prefix { $0 != Self.newline }) }
        gap.bytes += bytes.count
        gap.lines += bytes.count { $0 == Self.newline }
        let whole = bytes.last == Self.newline ? bytes.dropLast() : bytes
        gap.last = Array(whole.lastIndex(of: Self.newline).map { whole[($0 + 1)...] } ?? whole)
        self.gap = gap
    }

    // MARK: The file

    private func write(_ bytes: ArraySlice<UInt8>) throws(Errno) {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            // A disk that fills up takes a part first, and reports the error only at the next call.
            guard count > 0 else { throw count < 0 ? Errno(rawValue: errno) : .ioError }
            size += count
            endsLine = rest[rest.startIndex + count - 1] == Self.newline
            rest = rest.dropFirst(count)
        }
    }

    private func cut(to length: Int) throws(Errno) {
        while ftruncate(descriptor, off_t(length)) != 0 {
            guard errno == EINTR else { throw Errno(rawValue: errno) }
        }
        size = length
    }

    private func read(from offset: Int, count: Int) throws(Errno) -> [UInt8] {
        var (taken, error) = (0, Int32(0))
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while taken < count, error == 0 {
                let got = pread(descriptor, buffer.baseAddress! + taken, count - taken, off_t(offset + taken))
                if got > 0 { taken += got } else if got == 0 || errno != EINTR { error = got == 0 ? EIO : errno }
            }
            initialized = taken
        }
        guard error == 0 else { throw Errno(rawValue: error) }
        return bytes
    }
}
