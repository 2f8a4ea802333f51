public import Appliances
internal import NIOCore
internal import NIOPosix

/// What runs on the kernel's TCP/IP of a load balancer's host side: TCP proxies, HTTP services and health monitors, all on one
/// thread of its own.
///
/// Make it only in a process that has entered its namespaces: the thread stays in those of the thread that makes it.
public final class HostSide: Sendable {
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let proxies: [TCPProxy]
    private let services: [HTTPService]
    private let monitors: [HealthMonitor]

    /// - Parameters:
    ///   - accessLog: where the HTTP services write a line for every request
    ///   - onAccess: called on the host side's thread for every request of an HTTP service, when its answer is complete
    ///   - onTLSFailure: called on the host side's thread for every client with which TLS failed
    ///   - onMemberChange: called on the host side's thread whenever a monitor's verdict about a member changes. A
    ///     member counts as up from the start; the proxies know of the change already.
    public init(
        _ configuration: LoadBalancerConfiguration, accessLog: AccessLogFile? = nil,
        onAccess: @escaping @Sendable (AccessRecord) -> Void = { _ in },
        onTLSFailure: @escaping @Sendable (TLSFailure) -> Void = { _ in },
        onMemberChange: @escaping @Sendable (MemberChange) -> Void
    ) {
        let group = group
        let proxies = configuration.services.filter { $0.profile == .tcpProxy }.map { TCPProxy($0, group: group) }
        self.proxies = proxies
        let services = configuration.services.filter { $0.profile == .http }
            .map {
                HTTPService($0, on: group.next(), accessLog: accessLog, onAccess: onAccess, onTLSFailure: onTLSFailure)
            }
        self.services = services
        monitors = configuration.services.compactMap { service in
            service.monitor.map { monitor in
                HealthMonitor(service, monitor, on: group.next()) { change in
                    for proxy in proxies where proxy.service.name == change.service {
                        proxy.set(change.member, isUp: change.isUp)
                    }
                    for service in services where service.service.name == change.service {
                        service.set(change.member, isUp: change.isUp)
                    }
                    onMemberChange(change)
                }
            }
        }
    }

    /// Opens the proxies' listeners, which accept when this returns, and begins to monitor.
    public func start() throws(HostSideError) {
        for proxy in proxies { try proxy.listen() }
        for service in services { try service.listen() }
        for monitor in monitors { monitor.start() }
    }

    /// Closes every connection and listener; returns when the thread has ended.
    public func stop() {
        for monitor in monitors { monitor.stop() }
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
