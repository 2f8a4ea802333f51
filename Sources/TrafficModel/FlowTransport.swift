/// What a flow does with its connection, or with its socket for datagrams: the kernel's in a lab, a played one in
/// tests.
package protocol FlowTransport {
    /// Asks whether the handshake is complete by now. A socket for datagrams is connected from the begin.
    mutating func connection() -> ConnectionState

    mutating func send(_ bytes: UnsafeRawBufferPointer) -> TransportOutcome

    /// Hands over what has come, until there is no more or `take` wants no more.
    /// - Returns: what came instead of more
    mutating func receive(_ take: (UnsafeRawBufferPointer) -> Bool) -> TransportOutcome
}

package enum ConnectionState: Hashable, Sendable {
    case pending
    case complete
    case failed(FlowEnding)
}

/// What a call came to that never waits.
package enum TransportOutcome: Hashable, Sendable {
    /// Bytes that were taken.
    case bytes(Int)
    /// Not now.
    case wouldBlock
    /// The other side has closed its direction.
    case endOfStream
    case failed(FlowEnding)
}
