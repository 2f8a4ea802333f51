/// What a file transfer does besides its control connection, which is the `FlowTransport` itself: data connections.
package protocol TransferTransport: FlowTransport {
    /// The server's end of the control connection.
    var peer: Endpoint? { get }

    /// Listens for the server's data connection, on the client's address of the control connection.
    mutating func listenForData() -> DataListening

    /// - Returns: why it cannot even begin; nil where it is on its way
    mutating func connectData(to endpoint: Endpoint) -> FlowEnding?

    mutating func receiveData(_ take: (UnsafeRawBufferPointer) -> Bool) -> TransportOutcome

    /// Closes the data connection and what listens for one.
    mutating func closeData()
}

package enum DataListening: Hashable, Sendable {
    case listening(Endpoint)
    case failed(FlowEnding)
}

/// What a file transfer learns besides what any flow does.
package enum TransferInput: Hashable, Sendable {
    case control(FlowInput)
    /// The client's handshake is complete.
    case dataConnected
    /// The server's handshake is complete.
    case dataAccepted
    case dataFailed(FlowEnding)
    case dataReadable
}
