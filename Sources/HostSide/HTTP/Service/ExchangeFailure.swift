internal import Glibc
internal import LabEvents

extension HTTPErrorReason {
    /// The status with which the client is told; 499 is only logged, nobody is left to be told.
    var status: Int {
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

struct ExchangeFailure: Error {
    var reason: HTTPErrorReason
    /// More, in words.
    var detail = ""
    /// From where a connection was tried, where there is none left to tell it.
    var source: SourceEndpoint?

    /// What an attempt to connect ended with: `errno`.
    init(connecting code: Int32) {
        let words = Self.words(code)
        switch code {
        case ECONNREFUSED: self.init(.memberRefused, words)
        case ECONNRESET: self.init(.memberReset, words)
        case ETIMEDOUT: self.init(.connectTimeout, words)
        default: self.init(.memberUnreachable, words)
        }
    }

    /// What broke a connection: `errno`.
    init(exchanging code: Int32) {
        self.init(code == ECONNRESET || code == EPIPE ? .memberReset : .memberClosedEarly, Self.words(code))
    }

    static let connectTimeout = ExchangeFailure(.connectTimeout, "no answer to any SYN within the timeout")

    private static func words(_ code: Int32) -> String { String(cString: strerror(code)).lowercased() }

    init(_ reason: HTTPErrorReason, _ detail: String = "") {
        self.reason = reason
        self.detail = detail
    }
}
