internal import Glibc
internal import NIOCore
internal import NIOPosix

extension Channel {
    /// Closes a TCP connection with RST instead of FIN, so that the peer learns of the failure at once.
    ///
    /// - Precondition: called on the channel's event loop
    func closeWithReset() {
        eventLoop.assertInEventLoop()
        // A linger time of zero makes close(2) abort the connection: tcp(7), socket(7).
        guard let provider = self as? any SocketOptionProvider else { return close(promise: nil) }
        let channel = self
        provider.setSoLinger(linger(l_onoff: 1, l_linger: 0)).assumeIsolated().whenComplete { _ in
            channel.close(promise: nil)
        }
    }
}
