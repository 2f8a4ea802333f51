extension Exchange {
    /// What can happen to a client's connection and the member's. Bytes stay where they are until `step` returns.
    package enum Input {
        case clientBytes(UnsafeRawBufferPointer)
        /// The client has ended its direction.
        case clientEnd
        /// Nothing can be sent to the client or read from it any more.
        case clientLost
        /// The client's session below the plain bytes broke: nothing more is exchanged, but what it sent about that is
        /// to arrive.
        case clientSessionFailed(hasEnded: Bool)
        /// The kernel has taken all that waited for the client.
        case clientDrained
        /// The kernel has taken some of what waits for the client.
        case clientTookSome
        /// The member has accepted the connection.
        case memberConnected
        case memberConnectFailed(ExchangeFailure)
        case memberBytes(UnsafeRawBufferPointer)
        /// The member has ended its direction. Its connection is closed, as in the next case.
        case memberEnd
        case memberLost(ExchangeFailure)
        /// The kernel has taken some of what waits for the member, or all.
        case memberTookSome
        /// `deadline` has passed.
        case time
        /// Follows `Progress.goesOn`.
        case next
        /// The service ends.
        case stop
    }

    package enum Progress {
        /// For the next input.
        case waits
        /// A further request may be there already: `.next` is to follow at once. A step handles one request, so that
        /// each begins at its own time, and so that no number of them makes a recursion.
        case goesOn
    }
}
