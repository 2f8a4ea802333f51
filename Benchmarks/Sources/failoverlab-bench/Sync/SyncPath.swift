internal import EventLoop
internal import Glibc
internal import LabTime
internal import Netlink
internal import Wire

/// Two boxes with a cross-connect, a generator before the first and a sink behind it, fresh for each measurement.
///
///     generator ── inside │ first │ outside ── sink
///                            │ sync
///                            │ 10.0.0.0/30
///                            │ sync
///              idle ── inside │ second │ outside ── idle
struct SyncPath: ~Copyable {
    static let firstAddress = IPv4Address("10.0.0.1")!
    static let secondAddress = IPv4Address("10.0.0.2")!

    let generator: NetworkNamespace
    let first: NetworkNamespace
    let second: NetworkNamespace
    let sink: NetworkNamespace

    /// The calling thread is in the sink's namespace afterwards.
    /// - Parameter kernelHasAddresses: whether the kernels have the addresses of the cross-connect; else our boxes have
    init(kernelHasAddresses: Bool) throws {
        let generator = try BenchPath.namespace()
        var atGenerator = try NetlinkSocket()
        let first = try BenchPath.namespace()
        var atFirst = try NetlinkSocket()
        let second = try BenchPath.namespace()
        var atSecond = try NetlinkSocket()
        let sink = try BenchPath.namespace()
        var atSink = try NetlinkSocket()
        try atFirst.perform([
            .createVethPair(
                VethEnd("inside", mac: BenchPath.insideMAC),
                VethEnd("generator", mac: BenchPath.generatorMAC, namespace: generator.descriptor)),
            .createVethPair(
                VethEnd("outside", mac: BenchPath.outsideMAC),
                VethEnd("sink", mac: BenchPath.sinkMAC, namespace: sink.descriptor)),
            .createVethPair(
                VethEnd("sync", mac: MACAddress("02:00:00:00:04:01")!),
                VethEnd("sync", mac: MACAddress("02:00:00:00:04:02")!, namespace: second.descriptor)),
            .setUp("inside"), .setUp("outside"), .setUp("sync"),
        ])
        try atSecond.perform([
            .createVethPair(
                VethEnd("inside", mac: MACAddress("02:00:00:00:05:01")!),
                VethEnd("idle-inside", mac: MACAddress("02:00:00:00:05:02")!)),
            .createVethPair(
                VethEnd("outside", mac: MACAddress("02:00:00:00:05:03")!),
                VethEnd("idle-outside", mac: MACAddress("02:00:00:00:05:04")!)),
            .setUp("sync"), .setUp("inside"), .setUp("outside"), .setUp("idle-inside"), .setUp("idle-outside"),
        ])
        try atGenerator.perform(.setUp("generator"))
        try atSink.perform(.setUp("sink"))
        try atSink.perform(.addAddress(IPv4InterfaceAddress("10.10.2.2/24")!, to: "sink"))
        try atGenerator.turnOff(on: "generator")
        for port in ["inside", "outside", "sync"] {
            try atFirst.turnOff(on: port)
            try atSecond.turnOff(on: port)
        }
        try atSink.turnOff(on: "sink")
        if kernelHasAddresses {
            try atFirst.perform(.addAddress(IPv4InterfaceAddress(Self.firstAddress, prefixLength: 30), to: "sync"))
            try atSecond.perform(.addAddress(IPv4InterfaceAddress(Self.secondAddress, prefixLength: 30), to: "sync"))
        }
        self.generator = generator
        self.first = first
        self.second = second
        self.sink = sink
    }

    /// Once the box knows the sink's MAC address, the sink gets another: the kernel then drops what the box forwards at
    /// the door. To look for a route and to answer that there is none would cost as much as the box's own work, on the
    /// box's processor, and measures nobody.
    func deafenSink() throws {
        let deadline = Instant.monotonic() + OurPair.timeout
        while try sink.perform({ try LinkCount(of: "sink").sent }) == 0 {
            guard Instant.monotonic() < deadline else { throw BenchmarkFailure("the box does not ask for the sink") }
            usleep(1000)
        }
        try sink.perform {
            var netlink = try NetlinkSocket()
            try netlink.perform(.setMAC(MACAddress("02:00:00:00:03:02")!, of: "sink"))
        }
    }

    /// What the cross-connect has carried so far, both ways.
    func crossConnectBytes() throws -> UInt64 { try first.perform { try LinkCount(of: "sync").bytes } }
}
