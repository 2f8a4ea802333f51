internal import CLinux
internal import EventLoop
internal import Glibc
internal import SystemPackage
internal import Wire

/// Accepts the clients of one service.
///
/// Where no descriptor is left, accepting pauses until one of the service is closed, or for `breather`; clients wait in the
/// listen queue meanwhile.
final class ClientListener: ReadinessHandler {
    /// Connections that wait to be accepted.
    private static let backlog: Int32 = 4096
    /// Accepted in one turn, so that those who are connected have theirs.
    private static let mostInARow = 64
    static let breather: Duration = .milliseconds(50)

    private let loop: EventLoop
    private var descriptor: Int32
    /// No descriptor was left.
    private(set) var isPaused = false
    private let onClient: (Int32, IPAddress, UInt16) -> Void
    let port: UInt16

    /// Listens.
    /// - Parameter onClient: gets the descriptor of a connection, and who it is
    init(
        at address: IPAddress, port: UInt16, on loop: EventLoop, onClient: @escaping (Int32, IPAddress, UInt16) -> Void
    ) throws(Errno) {
        self.loop = loop
        self.onClient = onClient
        descriptor = cl_tcp_socket(address.isIPv4 ? 0 : 1)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        let listening = descriptor
        cl_allow_address_reuse(listening)
        cl_disable_nagle(listening)
        let bound = address.withSocketAddress(port: port) { address, length -> UInt16? in
            var length = length
            guard bind(listening, address, length) == 0, Glibc.listen(listening, Self.backlog) == 0,
                getsockname(listening, address, &length) == 0
            else { return nil }
            return UnsafeRawPointer(address).readUInt16(at: 2)
        }
        guard let bound else {
            let code = errno
            Glibc.close(listening)
            throw Errno(rawValue: code)
        }
        self.port = bound
        do throws(Errno) {
            try loop.watch(listening, telling: self)
        } catch {
            Glibc.close(listening)
            throw error
        }
    }

    deinit { loopEnds() }

    func loopEnds() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }

    /// A descriptor is free again.
    func mayGoOn() {
        guard isPaused, descriptor >= 0 else { return }
        isPaused = (try? loop.watch(descriptor, telling: self)) == nil
    }

    func ready(_ readiness: EventLoop.Readiness) {
        withUnsafeTemporaryAllocation(byteCount: 28, alignment: 8) { memory in
            let address = UnsafeRawPointer(memory.baseAddress!)
            for _ in 0..<Self.mostInARow {
                let accepted = cl_accept_client(descriptor, memory.baseAddress!)
                if accepted >= 0 {
                    let isIPv4 = address.loadUnaligned(as: UInt16.self) == UInt16(AF_INET)
                    let client: IPAddress =
                        isIPv4 ? .ipv4(address.readIPv4(at: 4)) : .ipv6(address.readIPv6(at: 8))
                    onClient(accepted, client, address.readUInt16(at: 2))
                    continue
                }
                switch errno {
                case EAGAIN: return
                case EMFILE, ENFILE, ENOBUFS, ENOMEM: return pause()
                // A client that gave up while it waited is no error of this socket: accept(2).
                default: continue
                }
            }
        }
    }

    private func pause() {
        loop.unwatch(descriptor)
        isPaused = true
        loop.schedule(after: Self.breather) { [weak self] in self?.mayGoOn() }
    }
}
