/// The client's connection and the member's, and the pool, as an exchange acts on them. Calls never wait, and never lead
/// back into the exchange: what comes of them is an input.
package protocol ExchangeEndpoints: AnyObject {
    // MARK: The client

    /// Sends three pieces of memory one behind the other; the last two may be empty. What the kernel does not take waits.
    func sendToClient(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer, _ c: UnsafeRawBufferPointer)
    /// Whether bytes wait for the client.
    var clientIsBlocked: Bool { get }
    /// Whether the client has taken some of what waits since this was asked, which the kernel need not report.
    func clientHasTakenSome() -> Bool
    /// Ends the client's session below the plain bytes, where there is one.
    func endClientSession()
    /// Ends the own direction.
    func finishClient()
    /// Closes at once; what waits is lost.
    func closeClient(withReset: Bool)

    // MARK: The member

    /// A member for a new request, by its place in the pool; nil where none is up.
    func chooseMember() -> Int?
    /// The member that is up behind one that failed, around from the first one tried; nil when all were tried.
    func nextMember(after member: Int, first: Int) -> Int?
    /// Opens a connection, or takes one that is idle where `reuses` allows it.
    /// - Parameter head: of the request; some of it may leave with the handshake
    func connect(to member: Int, reuses: Bool, head: UnsafeRawBufferPointer) -> ConnectOutcome
    func sendHeadToMember(_ head: UnsafeRawBufferPointer)
    /// As `sendToClient`; sent without waiting for the acknowledgement of what was sent before.
    func sendBodyToMember(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer, _ c: UnsafeRawBufferPointer)
    /// Whether bytes wait for the member.
    var memberIsBlocked: Bool { get }
    /// Whether bytes wait, and the member has taken some of them since this was asked.
    func memberHasTakenSome() -> Bool
    /// The answer is complete.
    /// - Parameters:
    ///   - isClean: all of the request was sent, and nothing came behind the answer
    ///   - staysOpen: the member keeps the connection open
    func releaseMember(isClean: Bool, staysOpen: Bool)
    /// Resets the connection, if there is one.
    func abandonMember()

    // MARK: Reports

    /// A request's head is complete and in order.
    func requestBegan()
    /// An entry of the access log.
    func requestEnded(_ request: RequestInProgress, _ outcome: RequestOutcome)
}

/// What became of an attempt to connect.
package enum ConnectOutcome: Hashable, Sendable {
    /// - Parameters:
    ///   - isReused: the connection has carried a request before
    ///   - sent: bytes of the head that have left
    case connected(SourceEndpoint, isReused: Bool, sent: Int)
    case pending(SourceEndpoint)
    case failed(ExchangeFailure)
}

/// What became of a request.
package enum RequestOutcome: Hashable, Sendable {
    /// A member has answered to the end.
    case answered
    /// - Parameters:
    ///   - reason: an `HTTPErrorReason`, or what was wrong with the request
    ///   - counter: the reason under which it is counted
    case failed(reason: String, detail: String?, counter: String)
}
