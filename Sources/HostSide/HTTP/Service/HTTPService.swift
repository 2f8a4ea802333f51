internal import Appliances
internal import Glibc
internal import LabTime
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Synchronization
internal import Wire

/// A virtual service with the profile `http`: ends the client's HTTP/1.1 connections at the service's address and asks
/// members on connections of its own.
///
/// Without multiplexing every request has a new connection to its member, which is asked to close it. A member that
/// cannot be connected to is followed by the next one that is up; once a request is on its way it stays with its
/// member, except that an idempotent one without a body is asked again where an idle connection turned out closed.
///
/// `@unchecked Sendable`: everything but the counters and the listener is used on `eventLoop` alone.
final class HTTPService: @unchecked Sendable {
    let service: VirtualServiceConfiguration
    let configuration: HTTPServiceConfiguration
    let requestForwarding: RequestForwarding
    let responseForwarding: ResponseForwarding
    let connections: ServerConnections
    let deadlines: DeadlineQueue
    let buffers = BufferPool()
    let picker: PickerBox
    private let eventLoop: any EventLoop
    private let accessLog: AccessLogFile?
    private let onTLSFailure: @Sendable (TLSFailure) -> Void
    private let onAccess: @Sendable (AccessRecord) -> Void
    private var listeningPort: UInt16
    private var clientText: (address: IPAddress, text: String) = (.ipv4(.any), "0.0.0.0")
    private let counted: Counted
    private let listener = Mutex<(any Channel)?>(nil)

    /// A class may hold a value that cannot be copied only as a property of its own.
    final class PickerBox {
        private var picker: MemberPicker
        init(_ picker: consuming MemberPicker) { self.picker = picker }

        func set(_ member: String, isUp: Bool) { picker.set(member, isUp: isUp) }
        func choose(client: IPAddress, port: UInt16) -> Int? { picker.choose(client: client, port: port) }
        func next(after member: Int, first: Int) -> Int? { picker.next(after: member, first: first) }
    }

    private final class Counted: Sendable {
        let counters = Mutex(HTTPCounters())
    }

    init(
        _ service: VirtualServiceConfiguration, on eventLoop: any EventLoop, accessLog: AccessLogFile? = nil,
        onAccess: @escaping @Sendable (AccessRecord) -> Void,
        onTLSFailure: @escaping @Sendable (TLSFailure) -> Void = { _ in }
    ) {
        self.service = service
        self.eventLoop = eventLoop
        self.accessLog = accessLog
        self.onAccess = onAccess
        self.onTLSFailure = onTLSFailure
        configuration = service.http ?? HTTPServiceConfiguration()
        requestForwarding = RequestForwarding(
            rules: HeaderRules(configuration.requestHeaders),
            appendsForwardedFor: configuration.forwardedFor == .append,
            closesServerConnection: configuration.multiplexing == nil)
        responseForwarding = ResponseForwarding(rules: HeaderRules(configuration.responseHeaders))
        picker = PickerBox(MemberPicker(service.members, scheduler: service.scheduler))
        listeningPort = service.port
        let counted = Counted()
        self.counted = counted
        let deadlines = DeadlineQueue(on: eventLoop)
        self.deadlines = deadlines
        connections = ServerConnections(configuration, to: service.members, on: eventLoop, deadlines: deadlines) {
            change in
            counted.counters.withLock { change(&$0) }
        }
    }

    var counters: HTTPCounters { counted.counters.withLock { $0 } }

    func count(_ change: (inout HTTPCounters) -> Void) { counted.counters.withLock { change(&$0) } }

    /// The port on which it listens, once it does.
    var port: UInt16? {
        listener.withLock { $0?.localAddress?.port }.map { UInt16(truncatingIfNeeded: $0) }
    }

    /// Whether new requests may go to a member.
    func set(_ member: String, isUp: Bool) {
        eventLoop.assertInEventLoop()
        picker.set(member, isUp: isUp)
    }

    /// Listens when it returns.
    func listen() throws(HostSideError) {
        do {
            let tls = try configuration.tls.map { try ServerTLS.context(for: $0) }
            let channel = try ServerBootstrap(group: eventLoop)
                .serverChannelOption(.backlog, value: 4096)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.autoRead, value: false)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { [self] channel in
                    channel.eventLoop.makeCompletedFuture {
                        guard admit(channel) else { return channel.closeWithReset() }
                        let client = HTTPClientConnection(self, from: channel.remoteAddress)
                        if let tls {
                            let handler = NIOSSLServerHandler(context: tls)
                            client.tls = ClientTLS(handler)
                            try channel.pipeline.syncOperations.addHandler(handler)
                        }
                        try channel.pipeline.syncOperations.addHandler(client)
                    }
                }
                .bind(host: service.address.description, port: Int(service.port))
                .wait()
            listener.withLock { $0 = channel }
            try eventLoop.submit { [self] in listeningPort = port ?? service.port }.wait()
        } catch {
            throw HostSideError(service: service, cause: error)
        }
    }

    private func admit(_ channel: any Channel) -> Bool {
        let isAdmitted = counted.counters.withLock { counters in
            counters.accepted += 1
            guard counters.open < configuration.limits.connections else {
                counters.overLimit += 1
                return false
            }
            counters.open += 1
            return true
        }
        if isAdmitted { channel.closeFuture.whenComplete { [self] _ in count { $0.open -= 1 } } }
        return isAdmitted
    }

    /// A client's address in words; remembers the last one, for clients ask more than once.
    func text(of client: IPAddress) -> String {
        if clientText.address != client { clientText = (client, client.description) }
        return clientText.text
    }

    func tlsFailed(client: IPAddress, port: UInt16, reason: String) {
        count { $0.tlsFailures[reason, default: 0] += 1 }
        onTLSFailure(
            TLSFailure(time: .ofWallClock(), service: service.name, client: client, clientPort: port, reason: reason))
    }

    func log(
        _ request: RequestInProgress, client: IPAddress, port: UInt16, reason: String?, detail: String?, tls: String?
    ) {
        let now = NIODeadline.now()
        func seconds(since start: NIODeadline) -> Double { Double((now - start).nanoseconds) / 1e9 }
        let member = request.member.map { service.members[$0] }
        let record = AccessRecord(
            time: .ofWallClock(), service: service.name, client: client, clientPort: port, vip: service.address,
            vipPort: listeningPort, poolMember: member?.name, memberAddress: member?.address,
            memberPort: member?.port, snatAddress: request.source?.address, snatPort: request.source?.port,
            method: request.texts.method, uri: request.texts.uri, host: request.texts.host,
            userAgent: request.texts.userAgent, forwardedFor: request.texts.forwardedFor, status: request.status,
            responseSize: request.responseSize,
            serverTime: request.served.map(seconds), totalTime: seconds(since: request.began), reason: reason,
            detail: detail.flatMap { $0.isEmpty ? nil : $0 }, tls: tls)
        accessLog?.append(record, on: eventLoop)
        onAccess(record)
    }
}

extension Timestamp {
    fileprivate static func ofWallClock() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
