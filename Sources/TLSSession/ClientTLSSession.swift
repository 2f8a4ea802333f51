internal import NIOCore
internal import NIOEmbedded
internal import NIOSSL

/// TLS of a client without a socket: bytes of the network in, bytes of the application out, and the other way round.
/// The server's certificate is taken as it is.
public final class ClientTLSSession {
    private static let context = Result {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }

    private let channel: EmbeddedChannel
    private let handler: NIOSSLClientHandler

    public init() throws {
        handler = try NIOSSLClientHandler(context: try Self.context.get(), serverHostname: nil)
        channel = EmbeddedChannel(handler: handler)
        // The handshake begins with the channel's activity; the address means nothing to it.
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 443), promise: nil)
    }

    /// A pipeline that is not closed holds itself. Closed below TLS, which would wait for the server's farewell.
    deinit {
        if let context = try? channel.pipeline.syncOperations.context(handler: handler) { context.close(promise: nil) }
        channel.embeddedEventLoop.run()
    }

    /// - Returns: what is to go to the network now; what has to wait for the handshake comes with a later answer
    public func send(_ bytes: [UInt8]) throws -> [UInt8] {
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
        return try forNetwork()
    }

    /// - Returns: what came for the application, and what is to go to the network now
    public func receive(_ bytes: UnsafeRawBufferPointer) throws -> (application: [UInt8], network: [UInt8]) {
        try channel.writeInbound(ByteBuffer(bytes: bytes))
        var application: [UInt8] = []
        while let piece = try channel.readInbound(as: ByteBuffer.self) { application += piece.readableBytesView }
        return (application, try forNetwork())
    }

    private func forNetwork() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try channel.readOutbound(as: ByteBuffer.self) { bytes += piece.readableBytesView }
        return bytes
    }

    /// The library's word for what went wrong, in lower case.
    public static func words(_ error: any Error) -> String {
        let text = "\(error)"
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let place = parts.firstIndex(of: "OPENSSL_internal"), place + 1 < parts.count else { return text }
        return parts[place + 1].prefix { $0 != " " && $0 != "]" }.lowercased().replacing("_", with: " ")
    }
}
