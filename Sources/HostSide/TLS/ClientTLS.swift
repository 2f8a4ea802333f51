internal import NIOCore
internal import NIOSSL

/// The TLS of a client's connection. Used on its event loop alone.
final class ClientTLS {
    private let handler: NIOSSLServerHandler
    private(set) var isInHandshake = true
    /// Once the handshake was completed.
    private(set) var version: String?

    init(_ handler: NIOSSLServerHandler) { self.handler = handler }

    func handshakeEnded() {
        isInHandshake = false
        version = handler.tlsVersion?.name
    }

    /// Closes below TLS: closed above it, the library would say farewell and wait for the answer.
    func reset(_ channel: any Channel) {
        channel.lingerForNothing { [handler] in
            guard let context = try? channel.pipeline.syncOperations.context(handler: handler) else {
                return channel.close(promise: nil)
            }
            context.close(promise: nil)
        }
    }
}
