/// Which bytes of a datagram its fragments have brought so far, so that the last one is known, whatever their order and
/// however often each comes.
///
/// In units of 8 bytes, as fragments have them. At most four separate pieces: with more, fragments come in an order that
/// no path makes, and the datagram's end is not noticed.
@usableFromInline
struct FragmentCover: BitwiseCopyable {
    private struct Piece: BitwiseCopyable {
        var start: UInt16 = 0
        var end: UInt16 = 0
    }

    private var pieces: InlineArray<4, Piece> = InlineArray(repeating: Piece())
    private var count: UInt8 = 0
    /// Where the last fragment ends; 0 before it was seen.
    private var total: UInt16 = 0

    @usableFromInline init() {}

    /// Whether every byte from the first to the last fragment's end has come.
    @usableFromInline var isComplete: Bool {
        total != 0 && count == 1 && pieces[0].start == 0 && pieces[0].end >= total
    }

    /// Takes a fragment.
    /// - Parameters:
    ///   - offset: in bytes, a multiple of 8 below 65,536
    ///   - length: of its data in bytes; 65,535 at most
    ///   - isLast: no more fragments follow
    @usableFromInline
    mutating func add(offset: Int, length: Int, isLast: Bool) {
        // Only the last one may have a length that is no multiple of 8.
        var piece = Piece(
            start: UInt16(clamping: offset / 8), end: UInt16(clamping: (offset + length + (isLast ? 7 : 0)) / 8))
        if isLast { total = max(total, piece.end) }
        guard piece.end > piece.start else { return }
        var index = 0
        while index < Int(count) {
            let other = pieces[index]
            guard other.start <= piece.end, piece.start <= other.end else {
                index += 1
                continue
            }
            piece.start = min(piece.start, other.start)
            piece.end = max(piece.end, other.end)
            count -= 1
            pieces[index] = pieces[Int(count)]
        }
        guard Int(count) < pieces.count else { return }
        pieces[Int(count)] = piece
        count += 1
    }
}
