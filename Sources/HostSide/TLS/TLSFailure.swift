public import LabTime
public import Wire
internal import NIOCore
internal import NIOSSL

/// A client with which no TLS came about, or whose TLS broke off.
public struct TLSFailure: Hashable, Sendable {
    public var time: Timestamp
    public var service: String
    public var client: IPAddress
    public var clientPort: UInt16
    /// The TLS library's word for it, such as `http-request` or `unsupported-protocol`; or `closed-in-handshake`,
    /// `handshake-timeout`, `closed-without-notice`.
    public var reason: String

    public var errorLine: String {
        "\(time) ERROR \(service): TLS with the client failed: \(reason), client: \(client.endpoint(port: clientPort))"
    }

    /// The connection has ended, but TLS has not.
    static func isMissingCloseNotify(_ error: any Error) -> Bool {
        if case NIOSSLError.uncleanShutdown = error { return true }
        return error is IOError
    }

    /// - Parameter isHandshake: whether the handshake was not over
    static func reason(for error: any Error, isHandshake: Bool) -> String {
        switch error {
        case NIOSSLError.handshakeFailed(let cause), NIOSSLError.shutdownFailed(let cause): return word(of: cause)
        case NIOSSLError.uncleanShutdown: return isHandshake ? "closed-in-handshake" : "closed-without-notice"
        case let cause as BoringSSLError: return word(of: cause)
        case is IOError: return "reset"
        default: return isHandshake ? "closed-in-handshake" : "broken"
        }
    }

    /// `error:1000009c:SSL routines:OPENSSL_internal:HTTP_REQUEST at …` says `http-request`.
    private static func word(of error: BoringSSLError) -> String {
        if case .zeroReturn = error { return "closed-in-handshake" }
        let parts = "\(error)".split(separator: ":", omittingEmptySubsequences: false)
        guard let place = parts.firstIndex(of: "OPENSSL_internal"), place + 1 < parts.count else {
            return "closed-in-handshake"
        }
        let word = parts[place + 1].prefix { $0 != " " && $0 != "]" }
        return word.lowercased().replacing("_", with: "-")
    }
}
