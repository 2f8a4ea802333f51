internal import Glibc
internal import NIOCore
internal import NIOPosix

extension Channel {
    /// Closes a TCP connection with RST instead of FIN, so that the peer learns of the failure at once.
    ///
    /// - Precondition: called on the channel's event loop
    func closeWithReset() {
        eventLoop.assertInEventLoop()
        let channel = self
        // A linger time of zero makes close(2) abort the connection: tcp(7), socket(7).
        guard let provider = channel as? any SocketOptionProvider else { return channel.close(promise: nil) }
        provider.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
    }
}
