internal import Glibc
internal import LabTime
internal import Measurement
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

    /// Linux counts the times of keepalive in seconds, and the user timeout in milliseconds. Source: tcp(7)
    func set(_ options: TCPSocketOptions) throws(Errno) {
        let level = Int32(IPPROTO_TCP)
        if let keepalive = options.keepalive {
            try set(SO_KEEPALIVE, of: SOL_SOCKET, to: 1)
            try set(TCP_KEEPIDLE, of: level, to: Int32(clamping: keepalive.idle.components.seconds))
            try set(TCP_KEEPINTVL, of: level, to: Int32(clamping: keepalive.interval.components.seconds))
            try set(TCP_KEEPCNT, of: level, to: Int32(clamping: keepalive.count))
        }
        if let timeout = options.userTimeout {
            try set(TCP_USER_TIMEOUT, of: level, to: Int32(clamping: timeout.nanoseconds / 1_000_000))
        }
    }

    /// A server that is started again may listen while connections of its predecessor are in TIME_WAIT.
    func allowAddressReuse() throws(Errno) {
        try set(SO_REUSEADDR, of: SOL_SOCKET, to: 1)
    }
}
