/// What a firewall remembers of an FTP control connection.
///
/// A line counts only where it begins a segment, and the segment begins where a line of its sender ended: so nobody can
/// make a server's answer that quotes him look like a reply of its own.
@usableFromInline
struct FTPControl: BitwiseCopyable {
    /// The reply that the client has asked for.
    @usableFromInline
    enum Awaited: UInt8, BitwiseCopyable {
        case nothing, passive, extendedPassive
        /// Not known: the connection is the peer's, and its question was seen there.
        case unknown
    }

    @usableFromInline var client = LineEnds()
    @usableFromInline var server = LineEnds()
    @usableFromInline var awaited: Awaited

    @usableFromInline init(awaited: Awaited) { self.awaited = awaited }
}

/// Where the lines of one direction ended, in sequence numbers: the last two, because segments overtake each other.
@usableFromInline
struct LineEnds: BitwiseCopyable {
    @usableFromInline var newest: UInt32 = 0
    @usableFromInline var older: UInt32 = 0
    /// 0: nothing was seen, and the first segment is taken to begin a line, as a session that came from the peer
    /// demands.
    @usableFromInline var count: UInt8 = 0
    /// Farthest that a segment may be ahead: a window without scaling.
    @inlinable static var reach: UInt32 { 65_535 }

    @usableFromInline
    func isLineStart(_ sequence: UInt32) -> Bool {
        count == 0 || sequence == newest || count == 2 && sequence == older
    }

    /// Whether the number is behind the last line that ended: repeated, not new.
    @usableFromInline
    func isRepeated(_ sequence: UInt32) -> Bool {
        count > 0 && Int32(bitPattern: sequence &- newest) < 0
    }

    @usableFromInline
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
