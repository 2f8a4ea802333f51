/// Finds the end of a body that comes in chunks. Source: RFC 9112, 7.1
struct ChunkedBody: Hashable, Sendable {
    private enum Phase: Hashable, Sendable {
        /// The line with the length of the next chunk.
        case size([UInt8])
        /// Bytes of the chunk, and of the CRLF after it.
        case data(left: Int)
        /// Fields after the last chunk, up to an empty line.
        case trailer(isLineEmpty: Bool)
        case ended
        case garbage
    }

    /// Bytes of a line with a length after which a client gives up on it.
    private static let longestLine = 1024

    private var phase = Phase.size([])

    var isComplete: Bool { phase == .ended }
    var isGarbage: Bool { phase == .garbage }

    /// - Returns: how many of the bytes belong to the body
    mutating func consume(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int {
        var index = bytes.startIndex
        while index < bytes.endIndex, phase != .ended, phase != .garbage {
            if case .data(let left) = phase {
                let count = min(left, bytes.endIndex - index)
                phase = left == count ? .size([]) : .data(left: left - count)
                index += count
            } else {
                take(bytes[index])
                index += 1
            }
        }
        return index - bytes.startIndex
    }

    private mutating func take(_ byte: UInt8) {
        switch phase {
        case .size(let line) where byte == 10: phase = Self.chunk(line)
        case .size(let line): phase = line.count < Self.longestLine ? .size(line + [byte]) : .garbage
        case .trailer(let isLineEmpty) where byte == 10: phase = isLineEmpty ? .ended : .trailer(isLineEmpty: true)
        case .trailer where byte != 13: phase = .trailer(isLineEmpty: false)
        case .trailer, .data, .ended, .garbage: break
        }
    }

    /// `1a;name=value`
    private static func chunk(_ line: [UInt8]) -> Phase {
        let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != 13 && $0 != 32 }
        guard digits.count <= 8, let size = Int(String(decoding: digits, as: UTF8.self), radix: 16), size >= 0 else {
            return .garbage
        }
        return size == 0 ? .trailer(isLineEmpty: true) : .data(left: size + 2)
    }
}
