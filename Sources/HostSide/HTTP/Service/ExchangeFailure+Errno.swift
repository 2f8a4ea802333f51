internal import Glibc
internal import HTTPExchange
internal import LabEvents

extension ExchangeFailure {
    /// What an attempt to connect ended with: `errno`.
    init(connecting code: Int32, source: SourceEndpoint? = nil) {
        let reason: HTTPErrorReason =
            switch code {
            case ECONNREFUSED: .memberRefused
            case ECONNRESET: .memberReset
            case ETIMEDOUT: .connectTimeout
            default: .memberUnreachable
            }
        self.init(reason, Self.text(of: code), source: source)
    }

    /// What broke a connection: `errno`.
    init(exchanging code: Int32) {
        self.init(code == ECONNRESET || code == EPIPE ? .memberReset : .memberClosedEarly, Self.text(of: code))
    }

    private static func text(of code: Int32) -> String { String(cString: strerror(code)).lowercased() }
}
