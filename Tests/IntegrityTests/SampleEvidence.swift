import Evidence
@testable import Integrity
import LabTime
import Wire

/// Files in memory.
struct MemoryFiles: EvidenceBytes {
    struct Missing: Error {}

    var files: [String: [UInt8]] = [:]
    /// How many bytes are handed over at once.
    var piece = 1000

    func visit(_ path: String, _ body: (UnsafeRawBufferPointer) -> Void) throws {
        guard var rest = files[path]?[...] else { throw Missing() }
        while !rest.isEmpty {
            Array(rest.prefix(piece)).withUnsafeBytes(body)
            rest = rest.dropFirst(piece)
        }
    }
}

/// A frame with its time in milliseconds since the run began.
struct SampleFrame {
    var at: Double
    var bytes: [UInt8]
}

/// A box `fw` between a client and a server, with the captures of both cables: what the client sends leaves at the other
/// side with a time to live that is one lower.
struct SampleEvidence {
    static let start = Timestamp(nanoseconds: 1_700_000_000_000_000_000)
    static let client = MACAddress(2, 0, 0, 0, 1, 1)
    static let left = MACAddress(2, 0, 0, 0, 2, 1)
    static let right = MACAddress(2, 0, 0, 0, 2, 2)
    static let server = MACAddress(2, 0, 0, 0, 3, 1)
    static let clientAddress = IPv4Address(rawValue: 0x0a00_0001)
    static let serverAddress = IPv4Address(rawValue: 0x0a00_0102)

    /// By capture: `client.lan`, `fw.lan`, `fw.wan`, `server.wan`.
    var frames: [String: [SampleFrame]] = [:]
    var stations = LabStations(
        points: [("client", "lan"), ("fw", "lan"), ("fw", "wan"), ("server", "wan")].map {
            LabStations.Point(node: $0.0, interface: $0.1)
        },
        cables: [
            LabStations.Cable(
                near: .init(node: "fw", interface: "lan"), far: .init(node: "client", interface: "lan"),
                nearAddress: left, farAddress: client),
            LabStations.Cable(
                near: .init(node: "fw", interface: "wan"), far: .init(node: "server", interface: "wan"),
                nearAddress: right, farAddress: server),
        ],
        boxes: [
            LabStations.Box(
                name: "fw", points: ["lan", "wan"].map { .init(node: "fw", interface: $0) }, addresses: [left, right],
                dropped: 0)
        ],
        addresses: [client, left, right, server], hosts: [clientAddress, serverAddress], mayCorrupt: false,
        mayDuplicate: false)
    var span = start...(start + .seconds(10))
    /// Changes of what `captures.json` says, by capture.
    var counts: [String: Int] = [:]
    var clockStep: Duration? = .zero
    /// Frames of a capture that a limit left out.
    var leftOut: [String: Int] = [:]
    /// Bytes of a capture in place of its frames.
    var raw: [String: [UInt8]] = [:]
    var events = ["udp.start", "udp.stop"]

    /// Ten requests, 100 ms apart.
    init() {
        for number in 0..<10 {
            let at = 1000 + Double(number) * 100
            let request = Self.udp(
                from: Self.client, to: Self.left, timeToLive: 64, identification: UInt16(number + 1),
                payload: Array("request \(number)".utf8))
            let forwarded = Self.udp(
                from: Self.right, to: Self.server, timeToLive: 63, identification: UInt16(number + 1),
                payload: Array("request \(number)".utf8))
            frames["client.lan", default: []].append(SampleFrame(at: at, bytes: request))
            frames["fw.lan", default: []].append(SampleFrame(at: at + 0.01, bytes: request))
            frames["fw.wan", default: []].append(SampleFrame(at: at + 0.1, bytes: forwarded))
            frames["server.wan", default: []].append(SampleFrame(at: at + 0.11, bytes: forwarded))
        }
    }

    /// Makes a pair of `fw`: what enters it leaves `peer`.
    mutating func givesWan(to peer: String) {
        let (old, new) = (
            LabStations.Point(node: "fw", interface: "wan"), LabStations.Point(node: peer, interface: "wan")
        )
        frames["\(peer).wan"] = frames.removeValue(forKey: "fw.wan")
        stations.points = stations.points.map { $0 == old ? new : $0 }
        stations.cables[1].near = new
        stations.boxes[0].name = "fw and \(peer)"
        stations.boxes[0].points[1] = new
    }

    mutating func change(_ captures: [String] = ["client.lan", "fw.lan"], _ change: (inout [SampleFrame]) -> Void) {
        for capture in captures { change(&frames[capture]!) }
    }

    var report: IntegrityReport {
        var files = MemoryFiles()
        var summaries: [CaptureSummary] = []
        for point in stations.points {
            let name = "\(point.node).\(point.interface)"
            let path = "captures/\(name).pcap"
            files.files[path] = raw[name] ?? Self.pcap(frames[name] ?? [])
            summaries.append(
                CaptureSummary(
                    node: point.node, interface: point.interface, path: path,
                    frames: counts[name] ?? (frames[name] ?? []).count, dropped: 0, leftOut: leftOut[name] ?? 0))
        }
        return IntegrityExamination(
            stations: stations, captures: summaries, span: span,
            play: (Self.start + .milliseconds(500))...(Self.start + .seconds(9)), ownEvents: ["udp.start", "udp.stop"],
            records: [], clockStep: clockStep,
            events: events.map {
                LabEvent(name: $0, time: Self.start + .seconds(1), kind: "traffic", node: nil)
            }, flowTimes: [], files: files
        ).report()
    }

    var kinds: [IntegrityFinding.Kind] { report.findings.map(\.kind) }

    // MARK: Bytes

    static func pcap(_ frames: [SampleFrame], magic: UInt32 = 0xa1b2_3c4d, linkType: UInt32 = 1) -> [UInt8] {
        func word(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
        var bytes = word(magic) + word(0x0004_0002) + word(0) + word(0) + word(65_535) + word(linkType)
        for frame in frames {
            let time = start.nanoseconds + Int64(frame.at * 1e6)
            bytes += word(UInt32(time / 1_000_000_000)) + word(UInt32(time % 1_000_000_000))
            bytes += word(UInt32(frame.bytes.count)) + word(UInt32(frame.bytes.count)) + frame.bytes
        }
        return bytes
    }

    static func mac(_ address: MACAddress) -> [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: address.packed >> UInt64(40 - 8 * $0)) }
    }

    static func udp(
        from source: MACAddress, to destination: MACAddress, timeToLive: UInt8, identification: UInt16,
        payload: [UInt8]
    ) -> [UInt8] {
        let addresses: [UInt8] = [10, 0, 0, 1, 10, 0, 1, 2]
        let length = UInt16(8 + payload.count)
        var udp: [UInt8] = [0x13, 0x88, 0, 7, UInt8(length >> 8), UInt8(length & 0xff), 0, 0] + payload
        let sum = checksum(addresses + [0, 17, UInt8(length >> 8), UInt8(length & 0xff)] + udp)
        udp[6] = UInt8(sum >> 8)
        udp[7] = UInt8(sum & 0xff)
        let total = UInt16(20) + length
        var header: [UInt8] =
            [
                0x45, 0, UInt8(total >> 8), UInt8(total & 0xff), UInt8(identification >> 8),
                UInt8(identification & 0xff), 0x40, 0, timeToLive, 17, 0, 0,
            ] + addresses
        let headerSum = checksum(header)
        header[10] = UInt8(headerSum >> 8)
        header[11] = UInt8(headerSum & 0xff)
        return mac(destination) + mac(source) + [8, 0] + header + udp
    }

    /// RFC 1071 as it stands there.
    static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for offset in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[offset]) << 8 | UInt32(offset + 1 < bytes.count ? bytes[offset + 1] : 0)
        }
        while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
        return ~UInt16(sum)
    }
}
