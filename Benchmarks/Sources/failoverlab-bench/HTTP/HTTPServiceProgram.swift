internal import Configuration
internal import ArgumentParser
internal import Glibc
internal import HostSide
internal import Wire

/// The HTTP service as a program: what a load balancer's host side runs, with one member. `http` starts it.
struct HTTPServiceProgram: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "http-service", shouldDisplay: false)

    @Flag var multiplexing = false
    @Option var accessLog: String

    func run() throws {
        let log = open(accessLog, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard log >= 0 else { throw BenchmarkFailure("\(accessLog): \(errorText)") }
        let http = HTTPServiceConfiguration(
            timeouts: HTTPTimeouts(keepAlive: .seconds(120)),
            multiplexing: multiplexing ? ConnectionMultiplexing(idleTime: .seconds(60), mostRequests: 1000) : nil)
        let member = PoolMemberConfiguration(name: "member", address: IPv4Address(HTTPPath.memberAddress)!, port: 80)
        let service = VirtualServiceConfiguration(
            name: "web", address: IPv4Address(HTTPPath.proxyAddress)!, port: 80, profile: .http, scheduler: .roundRobin,
            sourceTranslation: .autoMap, members: [member], monitor: nil, idleTimeout: .seconds(60), http: http)
        let hostSide = HostSide(
            LoadBalancerConfiguration(name: "lb", ports: [], routes: [], services: [service]),
            accessLog: AccessLogFile(descriptor: log), onMemberChange: { _ in })
        try hostSide.start()
        while true { pause() }
    }
}
