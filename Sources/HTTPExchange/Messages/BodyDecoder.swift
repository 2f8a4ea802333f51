import LabEvents

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

    /// The next piece of the body that `input` holds, and leaves it at what follows; nil where it holds none, or the body is
    /// complete.
    mutating func next(_ input: inout UnsafeRawBufferPointer) throws(MessageFault) -> UnsafeRawBufferPointer? {
        while true {
            switch state {
            case .complete: return nil
            case .untilClose: return take(input.count, &input)
            case .length(let left):
                guard let piece = take(left, &input) else { return nil }
                let rest = left - piece.count
                state = rest == 0 ? .complete : .length(rest)
                return piece
            case .chunkData(let left):
                guard let piece = take(left, &input) else { return nil }
                let rest = left - piece.count
                state = rest == 0 ? .chunkEnd : .chunkData(rest)
                return piece
            case .chunkSize:
                guard let line = try line(&input, longest: Self.longestSizeLine) else { return nil }
                let size = try Self.size(line)
                state = size == 0 ? .trailers(0) : .chunkData(size)
            case .chunkEnd:
                guard let line = try line(&input, longest: 0) else { return nil }
                guard line.count == 0 else { throw .malformedChunk }
                state = .chunkSize
            case .trailers(let bytes):
                guard let line = try line(&input, longest: Self.mostTrailerBytes) else { return nil }
                if line.count == 0 {
                    state = .complete
                    return nil
                }
                guard bytes + line.count <= Self.mostTrailerBytes, Self.isField(line) else {
                    throw .malformedChunk
                }
                state = .trailers(bytes + line.count)
            }
        }
    }

    private mutating func take(_ most: Int, _ input: inout UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        let available = min(most, input.count)
        guard available > 0 else { return nil }
        count += available
        return input.removeFirst(bytes: available)
    }

    /// A line without its CRLF; nil while it is not complete.
    private func line(
        _ input: inout UnsafeRawBufferPointer, longest: Int
    ) throws(MessageFault) -> UnsafeRawBufferPointer? {
        for index in 0..<min(input.count, longest + 2) {
            if input[index] == HTTPCharacters.lf { throw .malformedChunk }
            guard input[index] == HTTPCharacters.cr else { continue }
            guard index + 1 < input.count else { return nil }
            guard input[index + 1] == HTTPCharacters.lf else { throw .malformedChunk }
            let line = input.removeFirst(bytes: index)
            _ = input.removeFirst(bytes: 2)
            return line
        }
        if input.count >= longest + 2 { throw .malformedChunk }
        return nil
    }

    /// RFC 9112, 7.1: a size in hexadecimal, and extensions that nobody needs to understand.
    private static func size(_ line: UnsafeRawBufferPointer) throws(MessageFault) -> Int {
        var (size, index) = (0, 0)
        while index < line.count, let digit = HTTPCharacters.hexDigit(line[index]) {
            guard index < 15 else { throw .malformedChunk }
            size = size << 4 | digit
            index += 1
        }
        guard index > 0 else { throw .malformedChunk }
        if index < line.count {
            guard line[index] == UInt8(ascii: ";"), line[index...].allSatisfy(HTTPCharacters.isFieldValue) else {
                throw .malformedChunk
            }
        }
        return size
    }

    private static func isField(_ line: UnsafeRawBufferPointer) -> Bool {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { return false }
        return line[..<colon].allSatisfy(HTTPCharacters.isToken)
            && line[(colon + 1)...].allSatisfy(HTTPCharacters.isFieldValue)
    }
}

extension UnsafeRawBufferPointer {
    /// Takes that many bytes off the beginning.
    fileprivate mutating func removeFirst(bytes count: Int) -> UnsafeRawBufferPointer {
        defer { self = UnsafeRawBufferPointer(rebasing: self[count...]) }
        return UnsafeRawBufferPointer(rebasing: self[..<count])
    }
}
