internal import Glibc
internal import SystemPackage

extension Socket {
    /// Closing the socket, or the end of its process, resets the connection. Otherwise the kernel would go on to repeat
    /// FINs for minutes, and keep alive the network namespace of a lab that has ended.
    func resetWhenClosed() throws(Errno) {
        guard setLinger(linger(l_onoff: 1, l_linger: 0)) else { throw Errno(rawValue: errno) }
    }

    /// Undoes `resetWhenClosed`.
    func finishAfterClosing() { _ = setLinger(linger(l_onoff: 0, l_linger: 0)) }

    private func setLinger(_ value: linger) -> Bool {
        var value = value
        return setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size)) == 0
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
