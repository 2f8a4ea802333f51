/// What a firewall remembers of an FTP control connection.
///
/// A line counts only where it begins a segment, and the segment begins where a line of its sender ended: so nobody can
/// make a server's answer that quotes him look like a reply of its own.
struct FTPControl: BitwiseCopyable {
    /// The reply that the client has asked for.
    enum Awaited: UInt8, BitwiseCopyable {
        case nothing, passive, extendedPassive
        /// Not known: the connection is the peer's, and its question was seen there.
        case unknown
    }

    var client = LineEnds()
    var server = LineEnds()
    var awaited: Awaited
}

/// Where the lines of one direction ended, in sequence numbers: the last two, because segments overtake each other.
struct LineEnds: BitwiseCopyable {
    private var newest: UInt32 = 0
    private var older: UInt32 = 0
    /// 0: nothing was seen, and the first segment is taken to begin a line, as a session that came from the peer
    /// demands.
    private var count: UInt8 = 0
    /// Farthest that a segment may be ahead: a window without scaling.
    private static var reach: UInt32 { 65_535 }

    func isLineStart(_ sequence: UInt32) -> Bool {
        count == 0 || sequence == newest || count == 2 && sequence == older
    }

    /// Whether the number is behind the last line that ended: repeated, not new.
    func isRepeated(_ sequence: UInt32) -> Bool {
        count > 0 && Int32(bitPattern: sequence &- newest) < 0
    }

    mutating func note(_ end: UInt32) {
        guard count > 0 else {
            newest = end
            count = 1
            return
        }
        let ahead = end &- newest
        guard ahead != 0, ahead <= Self.reach else { return }
        older = newest
        newest = end
        count = 2
    }
}
