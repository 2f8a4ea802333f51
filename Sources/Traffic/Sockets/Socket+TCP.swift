internal import Glibc
internal import SystemPackage

extension Socket {
    /// Closing the socket, or the end of its process, resets the connection. Otherwise the kernel would go on to repeat
    /// FINs for minutes, and keep alive the network namespace of a lab that has ended.
    func resetWhenClosed() throws(Errno) {
        var none = linger(l_onoff: 1, l_linger: 0)
        guard setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &none, socklen_t(MemoryLayout<linger>.size)) == 0 else {
            throw Errno(rawValue: errno)
        }
    }

    /// Every request leaves at once, not when the answer to the one before is there.
    func disableNagle() throws(Errno) {
        try set(TCP_NODELAY, of: Int32(IPPROTO_TCP), to: 1)
    }

    /// A server that is started again may listen while connections of its predecessor are in TIME_WAIT.
    func allowAddressReuse() throws(Errno) {
        try set(SO_REUSEADDR, of: SOL_SOCKET, to: 1)
    }
}
