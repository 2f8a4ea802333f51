package import Wire

/// Sockets for datagrams, one a port, as many flows use them. Calls never wait.
package protocol ManyFlowTransport: ~Copyable {
    /// Sends a datagram to the program's target.
    mutating func send(_ bytes: [UInt8], from origin: FlowOrigins.Origin) -> TransportOutcome

    /// Hands over what has come to a port, at most so many datagrams.
    mutating func receive(port: Int, atMost most: Int, _ take: (ReceivedDatagram) -> Void)
}

package struct ReceivedDatagram {
    package var bytes: UnsafeRawBufferPointer
    package var sender: Endpoint?
    /// To which it was sent; nil where the socket does not report it.
    package var localAddress: IPAddress?

    package init(bytes: UnsafeRawBufferPointer, sender: Endpoint?, localAddress: IPAddress?) {
        self.bytes = bytes
        self.sender = sender
        self.localAddress = localAddress
    }
}

package enum ManyFlowInput: Hashable, Sendable {
    /// Datagrams may have come to a port.
    case readable(port: Int)
    /// The deadline has come, or any other time has.
    case time
    /// Ask only flows whose newest request is unanswered, and end when all are answered or the timeout is over.
    case finish
}

package enum ManyFlowEvent: Hashable, Sendable {
    /// Every flow has had an answer, or has ended.
    case ready
    /// The last event.
    case ended
}
