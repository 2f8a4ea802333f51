internal import Glibc
internal import SystemPackage

extension Socket {
    /// Every request leaves at once, not when the answer to the one before is there.
    func disableNagle() throws(Errno) {
        try set(TCP_NODELAY, of: Int32(IPPROTO_TCP), to: 1)
    }

    /// A server that is started again may listen while connections of its predecessor are in TIME_WAIT.
    func allowAddressReuse() throws(Errno) {
        try set(SO_REUSEADDR, of: SOL_SOCKET, to: 1)
    }
}
