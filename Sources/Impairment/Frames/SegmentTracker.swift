internal import Wire

/// The highest sequence number of each direction of each TCP connection of a cable, to detect retransmissions, and
/// which end opened it.
///
/// Of a fixed capacity: the oldest connection is replaced by a new one. A keep-alive with a byte of
/// old data counts as a retransmission, which it is.
struct SegmentTracker {
    private struct Side {
        /// The number after the last that passed; nil before any.
        var next: UInt32?
        /// The SYN's own number.
        var initial: UInt32?
    }

    private struct Connection {
        var near = Side()
        var far = Side()
        var clientPort: UInt16?
    }

    private var connections: [IPv6FiveTuple: Connection] = [:]
    /// Keys in the order in which they came, as a ring.
    private var order: [IPv6FiveTuple] = []
    private var oldest = 0
    let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { connections.count }

    /// Completes the facts of a frame and remembers them.
    mutating func see(_ facts: inout FrameFacts) {
        guard let segment = facts.segment, let session = facts.session else { return }
        var connection = connections[session] ?? Connection()
        if connections[session] == nil { makeRoom(for: session) }
        defer { connections[session] = connection }

        let flags = segment.tcpFlags
        var side = facts.direction == .fromNear ? connection.near : connection.far
        defer { if facts.direction == .fromNear { connection.near = side } else { connection.far = side } }
        let end = facts.sequence &+ FrameFacts.occupied(segment)
        if flags.contains(.syn) {
            facts.isRetransmission = side.initial == facts.sequence
            if !facts.isRetransmission {
                side = Side(next: end, initial: facts.sequence)
                // The ports are used again: nothing of the old connection counts.
                if flags.isInitialSYN {
                    if facts.direction == .fromNear { connection.far = Side() } else { connection.near = Side() }
                    connection.clientPort = segment.fiveTuple.sourcePort
                }
            }
        } else if end != facts.sequence {
            // Serial number arithmetic (RFC 1982): what lies less than half of the numbers ahead is new.
            if let next = side.next, Int32(bitPattern: end &- next) <= 0 {
                facts.isRetransmission = true
            } else {
                side.next = end
            }
        }
        facts.clientPort = connection.clientPort ?? facts.clientPort
    }

    private mutating func makeRoom(for session: IPv6FiveTuple) {
        if order.count < capacity {
            order.append(session)
        } else {
            connections[order[oldest]] = nil
            order[oldest] = session
            oldest = (oldest + 1) % capacity
        }
    }
}
