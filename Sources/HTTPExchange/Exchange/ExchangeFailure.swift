package import LabEvents

extension HTTPErrorReason {
    /// The status of the answer; 499 is only logged, nobody is left to be answered.
    package var status: Int {
        switch self {
        case .memberRefused, .memberUnreachable, .connectTimeout, .memberReset, .memberClosedEarly, .memberGarbage: 502
        case .noMemberUp, .noSourcePort: 503
        case .responseTimeout: 504
        case .clientHeaderTimeout, .clientBodyTimeout: 408
        case .clientClosed: 499
        case .badRequest: 400
        }
    }
}

/// Why a member does not answer, or not to the end.
package struct ExchangeFailure: Error, Hashable, Sendable {
    package var reason: HTTPErrorReason
    /// More, in plain text.
    package var detail: String
    /// From where a connection was tried, where there is none left to ask.
    package var source: SourceEndpoint?

    package init(_ reason: HTTPErrorReason, _ detail: String = "", source: SourceEndpoint? = nil) {
        self.reason = reason
        self.detail = detail
        self.source = source
    }

    static let connectTimeout = ExchangeFailure(.connectTimeout, "no answer to any SYN within the timeout")
}
