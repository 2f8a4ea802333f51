internal import Configuration
internal import LabTime
internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import Wire

/// A virtual service with the profile `tcp-proxy`: ends the client's TCP connection at the service's address, opens a
/// connection of its own to a member, and relays bytes both ways.
///
/// A member that cannot be reached within `connectTimeout` is followed by the next one that is up; when none is left,
/// the client's connection is reset. A connection stays with its member, also when a monitor takes that member out.
final class TCPProxy: Sendable {
    /// How long a member may take to accept a connection: one lost SYN, which is repeated after a second, is borne;
    /// and it is shorter than the patience of most clients.
    static let connectTimeout: Duration = .milliseconds(1200)
    /// Client connections at the same time; one more is reset at once.
    static let mostConnections = 8192

    private struct State: ~Copyable {
        var picker: MemberPicker
        var counters = ProxyCounters()
        var listener: (any Channel)?
    }

    let service: VirtualServiceConfiguration
    private let group: any EventLoopGroup
    private let state: Mutex<State>

    init(_ service: VirtualServiceConfiguration, group: any EventLoopGroup) {
        self.service = service
        self.group = group
        state = Mutex(State(picker: MemberPicker(service.members, scheduler: service.scheduler)))
    }

    var counters: ProxyCounters { state.withLock { $0.counters } }

    /// The port on which it listens, once it does.
    var port: UInt16? {
        state.withLock { $0.listener?.localAddress?.port }.map { UInt16(truncatingIfNeeded: $0) }
    }

    /// Whether new connections may go to a member.
    func set(_ member: String, isUp: Bool) {
        state.withLock { $0.picker.set(member, isUp: isUp) }
    }

    /// Listens when it returns.
    func listen() throws(HostSideError) {
        do {
            let channel = try ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 1024)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.autoRead, value: false)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { [self] channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(ProxiedClient(self))
                    }
                }
                .bind(host: service.address.description, port: Int(service.port))
                .wait()
            state.withLock { $0.listener = channel }
        } catch {
            throw HostSideError(service: service, cause: error)
        }
    }

    /// The members to try for a client, the best first; nil if there are too many connections already.
    func accept(_ client: SocketAddress?) -> [PoolMemberConfiguration]? {
        let address = client?.ipAddress.flatMap { IPAddress($0) } ?? .ipv4(.any)
        let port = UInt16(truncatingIfNeeded: client?.port ?? 0)
        return state.withLock { state in
            state.counters.accepted += 1
            guard state.counters.open < Self.mostConnections else {
                state.counters.overLimit += 1
                return nil
            }
            state.counters.open += 1
            return state.picker.order(client: address, port: port)
        }
    }

    func count(_ change: (inout ProxyCounters) -> Void) {
        state.withLock { change(&$0.counters) }
    }
}
