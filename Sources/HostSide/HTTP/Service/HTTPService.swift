internal import Configuration
internal import EventLoop
internal import HTTPExchange
internal import LabTime
internal import NIOSSL
internal import Synchronization
internal import SystemPackage
internal import Wire

/// A virtual service with the profile `http`: ends the client's HTTP/1.1 connections at the service's address and asks
/// members on connections of its own.
///
/// Without multiplexing every request has a new connection to its member, which is asked to close it. A member that
/// cannot be connected to is followed by the next one that is up; once a request is on its way it stays with its
/// member, except that an idempotent one without a body is asked again where an idle connection turned out closed.
///
/// `@unchecked Sendable`: everything but the counters and the port is used on its loop's thread alone.
final class HTTPService: @unchecked Sendable {
    let service: VirtualServiceConfiguration
    let configuration: HTTPServiceConfiguration
    let exchanges: ExchangeService
    let thread: ServiceThread
    let connections: ServerConnections
    let picker: PickerBox
    let counters = HTTPCounters()
    private let onTLSFailure: @Sendable (TLSFailure) -> Void
    private let onAccess: @Sendable (AccessRecord) -> Void
    private var clientText: (address: IPAddress, text: String) = (.ipv4(.any), "0.0.0.0")
    private var tls: NIOSSLContext?
    private var listener: ClientListener?
    private let listeningPort = Mutex<UInt16?>(nil)
    private var vipPort: UInt16

    /// A class may hold a value that cannot be copied only as a property of its own.
    final class PickerBox {
        private var picker: MemberPicker
        init(_ picker: consuming MemberPicker) { self.picker = picker }

        func set(_ member: String, isUp: Bool) { picker.set(member, isUp: isUp) }
        func choose(client: IPAddress, port: UInt16) -> Int? { picker.choose(client: client, port: port) }
        func next(after member: Int, first: Int) -> Int? { picker.next(after: member, first: first) }
    }

    init(
        _ service: VirtualServiceConfiguration, on thread: ServiceThread,
        onAccess: @escaping @Sendable (AccessRecord) -> Void, onTLSFailure: @escaping @Sendable (TLSFailure) -> Void
    ) {
        self.service = service
        self.thread = thread
        self.onAccess = onAccess
        self.onTLSFailure = onTLSFailure
        configuration = service.http ?? HTTPServiceConfiguration()
        exchanges = ExchangeService(configuration, memory: thread.memory)
        picker = PickerBox(MemberPicker(service.members, scheduler: service.scheduler))
        vipPort = service.port
        connections = ServerConnections(configuration, to: service.members, on: thread, counters: counters)
    }

    /// The port on which it listens, once it does.
    var port: UInt16? { listeningPort.withLock { $0 } }

    /// Whether new requests may go to a member.
    func set(_ member: String, isUp: Bool) { picker.set(member, isUp: isUp) }

    /// Listens when it returns.
    func listen() throws(HostSideError) {
        do {
            tls = try configuration.tls.map { try ServerTLS.context(for: $0) }
            let listener = try ClientListener(at: service.address, port: service.port, on: thread.loop) {
                [unowned self] descriptor, address, port in
                serve(descriptor, address, port)
            }
            self.listener = listener
            vipPort = listener.port
            listeningPort.withLock { $0 = listener.port }
        } catch {
            throw HostSideError(service: service, cause: error)
        }
    }

    private func serve(_ descriptor: Int32, _ address: IPAddress, _ port: UInt16) {
        counters.accepted.add()
        var socket = EdgeSocket(descriptor)
        guard counters.open.value < configuration.limits.connections else {
            counters.overLimit.add()
            return socket.close(withReset: true)
        }
        let client = HTTPClientConnection(self, on: socket, from: address, port, tls: tls.map { ClientTLS($0) })
        counters.open.add()
        if (try? thread.loop.watch(descriptor, for: EdgeSocket.interest, telling: client)) == nil {
            client.step(.clientLost)
        }
    }

    /// A client's connection is closed.
    func clientHasLeft() {
        counters.open.add(-1)
        listener?.mayGoOn()
    }

    /// A client's address as text; remembers the last one, for clients ask more than once.
    func text(of client: IPAddress) -> String {
        if clientText.address != client { clientText = (client, client.description) }
        return clientText.text
    }

    func tlsFailed(client: IPAddress, port: UInt16, reason: String) {
        counters.countTLSFailure(reason)
        onTLSFailure(
            TLSFailure(time: .now(), service: service.name, client: client, clientPort: port, reason: reason))
    }

    func log(
        _ request: RequestInProgress, client: IPAddress, port: UInt16, reason: String?, detail: String?, tls: String?
    ) {
        let now = Instant.monotonic()
        func seconds(since start: Instant) -> Double { Double(now.nanoseconds &- start.nanoseconds) / 1e9 }
        let member = request.member.map { service.members[$0] }
        let record = AccessRecord(
            time: .now(), service: service.name, client: client, clientPort: port, vip: service.address,
            vipPort: vipPort, poolMember: member?.name, memberAddress: member?.address,
            memberPort: member?.port, snatAddress: request.source?.address, snatPort: request.source?.port,
            method: request.texts.method, uri: request.texts.uri, host: request.texts.host,
            userAgent: request.texts.userAgent, forwardedFor: request.texts.forwardedFor, status: request.status,
            responseSize: request.responseSize,
            serverTime: request.served.map(seconds), totalTime: seconds(since: request.began), reason: reason,
            detail: detail.flatMap { $0.isEmpty ? nil : $0 }, tls: tls)
        thread.accessLog?.append(record)
        onAccess(record)
    }
}
