internal import Appliances
internal import CForwarders
internal import Configuration
internal import EventLoop
internal import Glibc
internal import LabTime
internal import Netlink
internal import PacketIO
internal import Wire

/// What one measurement of a pair found.
struct SyncFigures {
    /// Sessions that the peer had at the end.
    let sessions: Int
    let elapsed: Duration
    /// Bytes on the cross-connect meanwhile, both ways, Ethernet headers included.
    let bytes: UInt64

    var rate: Double { Double(sessions) / (Double(elapsed.nanoseconds) / 1e9) }
    var bytesPerSession: Double { Double(bytes) / Double(sessions) }
}

/// Our firewalls, each in a thread with an event loop of its own as in a node's process.
enum OurPair {
    static let timeout: Duration = .seconds(120)

    /// The first box has `sessions` before the second one starts: from the start to the last session in its table.
    static func bulk(_ sessions: Int, key: String?) throws -> SyncFigures {
        let path = try SyncPath(kernelHasAddresses: false)
        let first = BoxObservation(goal: sessions)
        let second = BoxObservation(goal: sessions)
        let one = try start(0, first, sessions, key, in: path.first.descriptor)
        try wait(until: "the first box is Active") { first.seen.isActive }
        try path.deafenSink()
        try open(sessions, first, on: path)
        let bytes = try path.crossConnectBytes()
        let begin = Instant.monotonic()
        let two = try start(1, second, sessions, key, in: path.second.descriptor)
        try wait(until: "the second box knows \(sessions) sessions") { second.seen.reachedAt != 0 }
        let elapsed = Instant(nanoseconds: second.seen.reachedAt) - begin
        let end = try path.crossConnectBytes()
        try two.stop()
        try one.stop()
        return SyncFigures(sessions: sessions, elapsed: elapsed, bytes: end - bytes)
    }

    /// Both boxes run, and sessions are opened as fast as the first takes them: from the first packet to the last
    /// session in the second's table.
    /// - Parameters:
    ///   - floods: packets come as fast as the generator can, far faster than the box takes them
    ///   - sharesRing: without the separate queue of the pair's control channel
    static func live(
        _ sessions: Int, key: String?, floods: Bool = false, sharesRing: Bool = false
    ) throws -> SyncFigures {
        let path = try SyncPath(kernelHasAddresses: false)
        let first = BoxObservation(goal: sessions)
        let second = BoxObservation(goal: sessions)
        let one = try start(0, first, sessions, key, sharesRing: sharesRing, floods: floods, in: path.first.descriptor)
        try wait(until: "the first box is Active") { first.seen.isActive }
        try path.deafenSink()
        let two = try start(
            1, second, sessions, key, sharesRing: sharesRing, floods: floods, in: path.second.descriptor)
        try wait(until: "the pair has settled") { first.seen.isPeerUpToDate }
        let bytes = try path.crossConnectBytes()
        let begin = Instant.monotonic()
        try open(sessions, first, floods: floods, on: path)
        try wait(until: "the second box knows \(sessions) sessions") { second.seen.reachedAt != 0 }
        let elapsed = Instant(nanoseconds: second.seen.reachedAt) - begin
        let end = try path.crossConnectBytes()
        try two.stop()
        try one.stop()
        return SyncFigures(sessions: sessions, elapsed: elapsed, bytes: end - bytes)
    }

    /// Sends the first packet of each flow as fast as the box makes sessions of them.
    private static func open(
        _ sessions: Int, _ box: BoxObservation, floods: Bool = false, on path: borrowing SyncPath
    ) throws {
        let frame = BenchFrame.make(to: BenchPath.boxInsideMAC)
        let known = UnsafeRawPointer(box.memory).assumingMemoryBound(to: Int.self)
        let generator = try BackgroundThread(in: path.generator.descriptor, processor: 1) { stop in
            let error = bench_open_flows(
                "generator", frame, Int32(frame.count), UInt32(sessions), known, floods ? 1 : 0, stop)
            guard error == 0 else { throw BenchmarkFailure("generator: \(String(cString: strerror(error)))") }
        }
        defer { try? generator.stop() }
        try wait(until: "the first box knows \(sessions) sessions") { box.seen.reachedAt != 0 }
    }

    private static func wait(until what: String, _ condition: () -> Bool) throws {
        let deadline = Instant.monotonic() + timeout
        while !condition() {
            guard Instant.monotonic() < deadline else {
                throw BenchmarkFailure("failoverlab: not within \(timeout): \(what)")
            }
            usleep(1000)
        }
    }

    private static func start(
        _ number: Int, _ observation: BoxObservation, _ sessions: Int, _ key: String?, sharesRing: Bool = false,
        floods: Bool = false, in namespace: Int32
    ) throws -> BackgroundThread {
        // A flood has a processor of its own: where it shares one with a box, that box sends only while the flood
        // pauses.
        try BackgroundThread(in: namespace, processor: floods ? 0 : Int32(number)) { stop in
            let firewall = try Firewall(configuration(number, sessions, key))
            let box = ObservedFirewall(firewall, observation, sharesRing: sharesRing) { Instant.monotonic() }
            try Contender.run(box, ports: ["inside", "outside", "sync"], until: stop)
        }
    }

    private static func configuration(_ number: Int, _ sessions: Int, _ key: String?) -> FirewallConfiguration {
        let last = UInt8(number + 1)
        let own = number == 0 ? SyncPath.firstAddress : SyncPath.secondAddress
        let peer = number == 0 ? SyncPath.secondAddress : SyncPath.firstAddress
        func port(_ name: String, _ mac: MACAddress, _ address: IPv4Address, _ length: Int) -> PortConfiguration {
            PortConfiguration(name: name, mac: mac, address: IPv4InterfaceAddress(address, prefixLength: length))
        }
        return FirewallConfiguration(
            name: number == 0 ? "first" : "second",
            ports: [
                port(
                    "inside", number == 0 ? BenchPath.boxInsideMAC : MACAddress("02:00:00:00:0b:01")!,
                    IPv4Address(10, 10, 1, last), 24),
                port(
                    "outside", number == 0 ? BenchPath.boxOutsideMAC : MACAddress("02:00:00:00:0b:02")!,
                    IPv4Address(10, 10, 2, last == 1 ? 1 : 3), 24),
                port("sync", MACAddress(2, 0, 0, 0, 0x0c, last), own, 30),
            ],
            routes: [RouteConfiguration(destination: IPv4Network("10.10.3.0/24")!, gateway: IPv4Address("10.10.2.2")!)],
            redundancy: RedundancyConfiguration(
                peer: number == 0 ? "second" : "first", priority: number == 0 ? 200 : 100, preempts: false,
                usesVirtualMAC: false, advertisementInterval: .milliseconds(100),
                heartbeatInterval: .milliseconds(50), heartbeatMisses: 3,
                crossConnect: CrossConnectConfiguration(port: "sync", peerAddress: peer),
                virtualRouters: [
                    VirtualRouterConfiguration(port: "inside", id: 1, addresses: [IPv4Address(10, 10, 1, 254)])
                ], key: key),
            sessionCapacity: sessions)
    }
}
