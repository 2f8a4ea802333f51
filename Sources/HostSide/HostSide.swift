public import Configuration
internal import EventLoop
public import LabEvents
internal import NIOCore
internal import NIOPosix
internal import SystemPackage

/// What runs on the kernel's TCP/IP of a load balancer's host side: TCP proxies and health monitors on one thread of its
/// own, and HTTP services, where there are any, on another one.
///
/// Make it only in a process that has entered its namespaces: the threads stay in those of the thread that makes it.
public final class HostSide: Sendable {
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    /// That of the HTTP services; nil without any.
    private let httpThread: Result<LoopThread, Errno>?
    private let proxies: [TCPProxy]
    private let services: [HTTPService]
    private let monitors: [HealthMonitor]

    /// - Parameters:
    ///   - accessLog: where the HTTP services write a line for every request
    ///   - onAccess: called on the HTTP services' thread for every request, when its answer is complete
    ///   - onTLSFailure: called on the HTTP services' thread for every client with which TLS failed
    ///   - onMemberChange: called on the monitors' thread whenever a verdict about a member changes. A member counts
    ///     as up from the start; the proxies know of the change already, and it is on its way to the HTTP services.
    public init(
        _ configuration: LoadBalancerConfiguration, accessLog: AccessLogFile? = nil,
        onAccess: @escaping @Sendable (AccessRecord) -> Void = { _ in },
        onTLSFailure: @escaping @Sendable (TLSFailure) -> Void = { _ in },
        onMemberChange: @escaping @Sendable (MemberChange) -> Void
    ) {
        let group = group
        let proxies = configuration.services.filter { $0.profile == .tcpProxy }.map { TCPProxy($0, group: group) }
        self.proxies = proxies
        let httpServices = configuration.services.filter { $0.profile == .http }
        var services: [HTTPService] = []
        var httpThread: Result<LoopThread, Errno>?
        if !httpServices.isEmpty {
            let made = Result { () throws(Errno) in try LoopThread(name: "http") }
            httpThread = made
            if case .success(let thread) = made {
                services = thread.perform { loop in
                    let shared = ServiceThread(on: loop, accessLog: accessLog)
                    return httpServices.map {
                        HTTPService($0, on: shared, onAccess: onAccess, onTLSFailure: onTLSFailure)
                    }
                }
            }
        }
        self.services = services
        self.httpThread = httpThread
        let informed = (thread: try? httpThread?.get(), services: services)
        monitors = configuration.services.compactMap { service in
            service.monitor.map { monitor in
                HealthMonitor(service, monitor, on: group.next()) { change in
                    for proxy in proxies where proxy.service.name == change.service {
                        proxy.set(change.member, isUp: change.isUp)
                    }
                    for service in informed.services where service.service.name == change.service {
                        informed.thread?.send { _ in service.set(change.member, isUp: change.isUp) }
                    }
                    onMemberChange(change)
                }
            }
        }
    }

    /// Opens the listeners of proxies and HTTP services, which accept when this returns. Monitors do not ask yet.
    public func start() throws(HostSideError) {
        for proxy in proxies { try proxy.listen() }
        try listen()
    }

    /// Begins to monitor. Call it when members may be expected to answer: every answer counts.
    /// - Parameter onFirstRound: called once, on the monitors' thread, when every monitor has had an answer from each of
    ///   its members, or a timeout; what the answers changed was reported before
    public func startMonitors(onFirstRound: @escaping @Sendable () -> Void = {}) {
        EventLoopFuture.andAllComplete(monitors.flatMap { $0.start() }, on: group.next())
            .whenComplete { _ in onFirstRound() }
    }

    private func listen() throws(HostSideError) {
        guard let httpThread else { return }
        let thread: LoopThread
        do throws(Errno) {
            thread = try httpThread.get()
        } catch {
            throw HostSideError("there is no thread for the HTTP services: \(error)")
        }
        for service in services {
            let outcome = thread.perform { _ in Result { () throws(HostSideError) in try service.listen() } }
            try outcome.get()
        }
    }

    /// Closes every connection and listener; returns when the threads have ended.
    public func stop() {
        for monitor in monitors { monitor.stop() }
        if case .success(let thread)? = httpThread { thread.stop() }
        try? group.syncShutdownGracefully()
    }

    /// The proxies' counters, by service.
    public var counters: [CounterReading] {
        proxies.flatMap { $0.counters.readings(of: $0.service.name) }
            + services.flatMap { $0.counters.readings(of: $0.service.name) }
    }

    /// The port on which a service's proxy listens; nil where it has none, or does not listen yet.
    public func port(of service: String) -> UInt16? {
        proxies.first { $0.service.name == service }?.port ?? services.first { $0.service.name == service }?.port
    }
}
