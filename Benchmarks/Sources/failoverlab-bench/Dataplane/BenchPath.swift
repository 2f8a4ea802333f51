internal import Glibc
internal import Netlink
internal import Wire

/// Generator, box and sink in three namespaces, fresh for each measurement.
///
///     generator 10.10.1.2 ── inside 10.10.1.1 │ box │ outside 10.10.2.1 ── sink 10.10.2.2 ── 10.10.3.0/24
///
/// The sink is the next hop of the frames' destination and has no way on: it answers ARP and drops what arrives.
struct BenchPath: ~Copyable {
    static let generatorMAC = MACAddress("02:00:00:00:01:01")!
    /// What the box's interfaces have: the kernel's forwarding answers to it.
    static let insideMAC = MACAddress("02:00:00:00:02:01")!
    static let outsideMAC = MACAddress("02:00:00:00:02:02")!
    static let sinkMAC = MACAddress("02:00:00:00:03:01")!
    /// What our boxes call their own. Not the interfaces', so that the kernel below drops its copy at the door.
    static let boxInsideMAC = MACAddress("02:00:00:00:0a:01")!
    static let boxOutsideMAC = MACAddress("02:00:00:00:0a:02")!

    let generator: NetworkNamespace
    let box: NetworkNamespace
    let sink: NetworkNamespace

    /// The calling thread is in the sink's namespace afterwards.
    init(kernelForwards: Bool) throws {
        let generator = try Self.namespace()
        var atGenerator = try NetlinkSocket()
        let box = try Self.namespace()
        var atBox = try NetlinkSocket()
        if kernelForwards { try Sysctl.set("net/ipv4/ip_forward", 1) }
        let sink = try Self.namespace()
        var atSink = try NetlinkSocket()
        try atBox.perform([
            .createVethPair(
                VethEnd("inside", mac: Self.insideMAC),
                VethEnd("generator", mac: Self.generatorMAC, namespace: generator.descriptor)),
            .createVethPair(
                VethEnd("outside", mac: Self.outsideMAC),
                VethEnd("sink", mac: Self.sinkMAC, namespace: sink.descriptor)),
            .setUp("inside"), .setUp("outside"),
        ])
        try atGenerator.perform(.setUp("generator"))
        try atSink.perform(.setUp("sink"))
        try atSink.perform(.addAddress(IPv4InterfaceAddress("10.10.2.2/24")!, to: "sink"))
        try atGenerator.turnOff(on: "generator")
        try atBox.turnOff(on: "inside")
        try atBox.turnOff(on: "outside")
        try atSink.turnOff(on: "sink")
        if kernelForwards {
            try atBox.perform([
                .addAddress(IPv4InterfaceAddress("10.10.1.1/24")!, to: "inside"),
                .addAddress(IPv4InterfaceAddress("10.10.2.1/24")!, to: "outside"),
                .addRoute(Route(to: IPv4Network("10.10.3.0/24")!, gateway: IPv4Address("10.10.2.2")!)),
            ])
        }
        self.generator = generator
        self.box = box
        self.sink = sink
    }

    static func namespace() throws -> NetworkNamespace {
        let namespace = try NetworkNamespace.createAndEnter()
        for scope in ["all", "default"] { try? Sysctl.set("net/ipv6/conf/\(scope)/disable_ipv6", 1) }
        return namespace
    }
}

/// Frames that an interface of the calling thread's namespace has carried.
struct LinkCount {
    let received: UInt64
    let sent: UInt64
    /// Of both directions, Ethernet headers included.
    let bytes: UInt64

    /// Reads /proc/net/dev: eight counters of reception, eight of transmission, frames the second of each.
    init(of interface: String) throws {
        guard let file = fopen("/proc/thread-self/net/dev", "r") else { throw BenchmarkFailure("no /proc/net/dev") }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 512)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            let fields = text.split { $0 == " " || $0 == ":" || $0 == "\n" }
            if fields.first.map(String.init) == interface, fields.count > 10, let received = UInt64(fields[2]),
                let sent = UInt64(fields[10]), let bytesReceived = UInt64(fields[1]), let bytesSent = UInt64(fields[9])
            {
                self.received = received
                self.sent = sent
                bytes = bytesReceived + bytesSent
                return
            }
        }
        throw BenchmarkFailure("/proc/net/dev has no \(interface)")
    }
}
