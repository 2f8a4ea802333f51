/// What a command has printed, as far as it is kept: its first bytes, and the newest ones of what came after them.
struct KeptOutput {
    let first: Int
    let newest: Int
    private var begin: [UInt8] = []
    /// Grows to twice the newest part before it is cut back.
    private var rest: [UInt8] = []
    private var count = 0

    init(first: Int, newest: Int = 0) {
        self.first = first
        self.newest = newest
    }

    /// - Complexity: linear in the bytes on average
    mutating func append(_ bytes: ArraySlice<UInt8>) {
        count += bytes.count
        let share = min(bytes.count, first - begin.count)
        begin += bytes.prefix(share)
        guard newest > 0 else { return }
        rest += bytes.dropFirst(share).suffix(newest)
        if rest.count > 2 * newest { rest.removeFirst(rest.count - newest) }
    }

    /// Both parts; where some is missing between them, not in one line.
    var bytes: [UInt8] { begin + (leftOut > 0 && !rest.isEmpty ? [UInt8(ascii: "\n")] : []) + rest.suffix(newest) }
    /// Bytes that are missing between them.
    var leftOut: Int { count - begin.count - min(rest.count, newest) }

    /// Both parts, with a line between them that states what is missing.
    var shown: [UInt8] {
        guard leftOut > 0 else { return begin + rest.suffix(newest) }
        return begin + Array("\n… \(leftOut) bytes left out …\n".utf8) + rest.suffix(newest)
    }
}
