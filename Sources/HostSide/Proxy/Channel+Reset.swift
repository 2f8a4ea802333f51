internal import Glibc
internal import NIOCore
internal import NIOPosix

extension Channel {
    /// Closes a TCP connection with RST instead of FIN, so that the peer learns of the failure at once.
    ///
    /// - Precondition: called on the channel's event loop
    func closeWithReset() {
        let channel = self
        lingerForNothing { channel.close(promise: nil) }
    }

    /// Lets a close that follows be a reset.
    func lingerForNothing(then close: @escaping () -> Void) {
        eventLoop.assertInEventLoop()
        // A linger time of zero makes close(2) abort the connection: tcp(7), socket(7).
        guard let provider = self as? any SocketOptionProvider else { return close() }
        provider.setSoLinger(linger(l_onoff: 1, l_linger: 0)).assumeIsolated().whenComplete { _ in close() }
    }
}
