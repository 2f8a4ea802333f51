internal import NIOCore

/// Takes a body out of its framing, piece by piece, without gathering it.
struct BodyDecoder {
    enum Framing: Hashable {
        case none
        case length(Int)
        case chunked
        /// Until the connection ends: only answers.
        case untilClose
    }

    private enum State: Hashable {
        case complete
        case length(Int)
        case untilClose
        case chunkSize
        case chunkData(Int)
        case chunkEnd
        /// Bytes of trailers so far.
        case trailers(Int)
    }

    /// The longest line of a chunk's size, extensions included.
    private static let longestSizeLine = 256
    /// Trailers are read to find the body's end, and not passed on: RFC 9110, 6.5.1.
    private static let mostTrailerBytes = 4096

    private var state: State
    /// Bytes of the body itself, so far.
    private(set) var count = 0

    init(_ framing: Framing) {
        state =
            switch framing {
            case .none, .length(0): .complete
            case .length(let length): .length(length)
            case .chunked: .chunkSize
            case .untilClose: .untilClose
            }
    }

    var isComplete: Bool { state == .complete }
    var endsWithConnection: Bool { state == .untilClose }

    /// The next piece of the body that `input` holds; nil where it holds none, or the body is complete.
    mutating func next(_ input: inout ByteBuffer) throws(MessageFault) -> ByteBuffer? {
        while true {
            switch state {
            case .complete: return nil
            case .untilClose: return take(input.readableBytes, &input)
            case .length(let left):
                guard let piece = take(left, &input) else { return nil }
                let rest = left - piece.readableBytes
                state = rest == 0 ? .complete : .length(rest)
                return piece
            case .chunkData(let left):
                guard let piece = take(left, &input) else { return nil }
                let rest = left - piece.readableBytes
                state = rest == 0 ? .chunkEnd : .chunkData(rest)
                return piece
            case .chunkSize:
                guard let line = try line(&input, longest: Self.longestSizeLine) else { return nil }
                let size = try Self.size(line)
                state = size == 0 ? .trailers(0) : .chunkData(size)
            case .chunkEnd:
                guard let line = try line(&input, longest: 0) else { return nil }
                guard line.readableBytes == 0 else { throw .malformedChunk }
                state = .chunkSize
            case .trailers(let bytes):
                guard let line = try line(&input, longest: Self.mostTrailerBytes) else { return nil }
                if line.readableBytes == 0 {
                    state = .complete
                    return nil
                }
                guard bytes + line.readableBytes <= Self.mostTrailerBytes, Self.isField(line) else {
                    throw .malformedChunk
                }
                state = .trailers(bytes + line.readableBytes)
            }
        }
    }

    private mutating func take(_ most: Int, _ input: inout ByteBuffer) -> ByteBuffer? {
        let available = min(most, input.readableBytes)
        guard available > 0 else { return nil }
        count += available
        return input.readSlice(length: available)
    }

    /// A line without its CRLF; nil while it is not complete.
    private func line(_ input: inout ByteBuffer, longest: Int) throws(MessageFault) -> ByteBuffer? {
        let (end, isWhole) = input.withUnsafeReadableBytes { bytes -> (Int, Bool?) in
            for index in 0..<min(bytes.count, longest + 2) {
                if bytes[index] == HTTPCharacters.lf { return (0, nil) }
                guard bytes[index] == HTTPCharacters.cr else { continue }
                guard index + 1 < bytes.count else { return (index, false) }
                return bytes[index + 1] == HTTPCharacters.lf ? (index, true) : (0, nil)
            }
            return bytes.count >= longest + 2 ? (0, nil) : (0, false)
        }
        guard let isWhole else { throw .malformedChunk }
        guard isWhole, let line = input.readSlice(length: end) else { return nil }
        input.moveReaderIndex(forwardBy: 2)
        return line
    }

    /// RFC 9112, 7.1: a size in hexadecimal, and extensions that nobody needs to understand.
    private static func size(_ line: ByteBuffer) throws(MessageFault) -> Int {
        let size = line.withUnsafeReadableBytes { bytes -> Int? in
            var (size, index) = (0, 0)
            while index < bytes.count, let digit = HTTPCharacters.hexDigit(bytes[index]) {
                guard index < 15 else { return nil }
                size = size << 4 | digit
                index += 1
            }
            guard index > 0 else { return nil }
            if index < bytes.count {
                guard bytes[index] == UInt8(ascii: ";"), bytes[index...].allSatisfy(HTTPCharacters.isFieldValue) else {
                    return nil
                }
            }
            return size
        }
        guard let size else { throw .malformedChunk }
        return size
    }

    private static func isField(_ line: ByteBuffer) -> Bool {
        line.withUnsafeReadableBytes { bytes in
            guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { return false }
            return bytes[..<colon].allSatisfy(HTTPCharacters.isToken)
                && bytes[(colon + 1)...].allSatisfy(HTTPCharacters.isFieldValue)
        }
    }
}
