import Glibc

/// Memory whose end lies against a page that nobody may touch: a read or write one byte too far ends the test run.
final class GuardedMemory {
    private let pages: UnsafeMutableRawPointer
    private let pageSize: Int
    private let usable: Int

    /// - Parameter pages: how many pages can be used
    init(pages count: Int = 1) {
        pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
        usable = count * pageSize
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        guard let mapped = mmap(nil, usable + pageSize, PROT_READ | PROT_WRITE, flags, -1, 0), mapped != MAP_FAILED,
            mprotect(mapped + usable, pageSize, PROT_NONE) == 0
        else { fatalError("no memory for a guarded buffer") }
        pages = mapped
    }

    deinit { munmap(pages, usable + pageSize) }

    /// The bytes, the last of them at the guard.
    func place(_ bytes: some Collection<UInt8>) -> UnsafeMutableRawBufferPointer {
        precondition(bytes.count <= usable)
        let buffer = UnsafeMutableRawBufferPointer(start: pages + usable - bytes.count, count: bytes.count)
        buffer.copyBytes(from: bytes)
        return buffer
    }
}

/// Lends bytes in guarded memory.
func withGuarded<R>(_ bytes: some Collection<UInt8>, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    let memory = GuardedMemory(pages: bytes.count / 4096 + 1)
    return try withExtendedLifetime(memory) { try body(UnsafeRawBufferPointer(memory.place(bytes))) }
}

/// What an emitter wrote at the start of a buffer full of 0xa5, so that a byte that it forgot is seen.
///
/// - Parameter size: bytes of the buffer; 200 leave room in which a write too far is seen as well
/// - Returns: nil where the emitter returned nil; the bytes behind the returned length are checked to be untouched
func dirty(
    _ size: Int = 200, holding payload: [UInt8] = [], at offset: Int = 0,
    _ emit: (UnsafeMutableRawBufferPointer) throws -> Int?
) rethrows -> [UInt8]? {
    let memory = GuardedMemory(pages: size / 4096 + 1)
    return try withExtendedLifetime(memory) {
        let buffer = memory.place([UInt8](repeating: 0xa5, count: size))
        if !payload.isEmpty {
            UnsafeMutableRawBufferPointer(rebasing: buffer[offset...]).copyBytes(from: payload)
        }
        guard let length = try emit(buffer) else { return nil }
        precondition(
            buffer.dropFirst(max(length, offset + payload.count)).allSatisfy { $0 == 0xa5 }, "wrote behind its length")
        return Array(buffer.prefix(length))
    }
}

/// Bytes from pairs of hexadecimal digits; blanks and line ends between them.
func hex(_ text: String) -> [UInt8] {
    text.split(whereSeparator: \.isWhitespace).map { pair in
        guard pair.utf8.count == 2, let byte = UInt8(pair, radix: 16) else { fatalError("'\(pair)' is not a byte") }
        return byte
    }
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
}

extension Array where Element == UInt8 {
    /// The same bytes with some of them replaced.
    func replacing(_ offset: Int, with bytes: UInt8...) -> [UInt8] {
        var copy = self
        copy.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
        return copy
    }
}
