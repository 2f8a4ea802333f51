import Dataplane
import LabTime
import Redundancy
import Wire

/// A session engine and the journal beside it, as a firewall of a pair holds them.
struct ReplicatedSessions: ~Copyable {
    static let start = Instant(nanoseconds: 1_000_000_000)
    static let client = IPv4Address(192, 0, 2, 10)
    static let server = IPv4Address(198, 51, 100, 20)

    var engine: SessionEngine<IPv4>
    var journal: SessionJournal<IPv4>

    init(
        capacity: Int, timers: SessionTimers = .standard, rules: [FilterRule] = [],
        otherwise: FilterRule.Action = .allow, gateways: [ApplicationGateway] = []
    ) {
        engine = SessionEngine<IPv4>(
            capacity: capacity, timers: timers, rules: rules, otherwise: otherwise, gateways: gateways)
        journal = SessionJournal<IPv4>(capacity: capacity)
    }

    static func flow(_ port: UInt16, _ proto: IPProtocol = .tcp, to destination: UInt16 = 80) -> FiveTuple {
        FiveTuple(
            source: client, destination: server, sourcePort: port, destinationPort: destination, protocol: proto)
    }

    // MARK: Packets and time

    mutating func evaluate(_ flow: FiveTuple, _ flags: TCPFlags = [], at now: Instant = start) -> FilterVerdict {
        let layout = FrameLayout(
            fiveTuple: flow, networkOffset: 14, transportOffset: 34, payloadOffset: 54, endOffset: 54, fragment: .whole,
            tcpFlags: flags, hasTransportHeader: true)
        return withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) {
            engine.evaluate(
                layout, in: UnsafeRawPointer($0.baseAddress!), from: 0, at: now, reporting: &journal)
        }
    }

    /// A TCP segment with a payload, whole and with its checksum.
    mutating func evaluate(
        _ flow: FiveTuple, payload: String, sequence: UInt32 = 1, at now: Instant = start
    ) -> FilterVerdict {
        var bytes = [UInt8](repeating: 0, count: 54) + Array(payload.utf8)
        return bytes.withUnsafeMutableBytes { buffer in
            _ = EthernetHeader(destination: .zero, source: .zero, etherType: .ipv4).emit(into: buffer)
            _ = TCPHeader(
                sourcePort: flow.sourcePort, destinationPort: flow.destinationPort, sequence: sequence,
                acknowledgement: 1, flags: [.psh, .ack], window: 1000
            ).emit(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[34...]), payloadLength: payload.utf8.count,
                source: flow.source, destination: flow.destination)
            _ = IPv4Header(source: flow.source, destination: flow.destination, protocol: .tcp).emit(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[14...]), payloadLength: 20 + payload.utf8.count)
            guard case .layout(let layout) = FrameLayout.parse(UnsafeRawBufferPointer(buffer)) else {
                return .drop(.malformedIPv4)
            }
            return engine.evaluate(
                layout, in: UnsafeRawPointer(buffer.baseAddress!), from: 0, at: now, reporting: &journal)
        }
    }

    mutating func advance(to now: Instant) { engine.advance(to: now, reporting: &journal) }

    // MARK: The peer

    mutating func nextRecord(at now: Instant = start, for message: UInt64 = 0) -> NextSessionRecord<IPv4>? {
        journal.nextRecord(of: engine, at: now, for: message)
    }

    mutating func nextMessage(
        through channel: inout SyncChannel, isUrgent: Bool = false, at now: Instant = start
    ) -> (bytes: UnsafeRawBufferPointer, records: Int)? {
        channel.nextMessage(from: &journal, of: engine, isUrgent: isUrgent, at: now)
    }

    @discardableResult
    mutating func apply(_ record: SyncRecord<IPv4>, onlyNew: Bool = false, at now: Instant = start) -> Bool {
        journal.apply(record, to: &engine, onlyNew: onlyNew, at: now)
    }

    /// Moves every record to the peer.
    mutating func send(to peer: inout ReplicatedSessions, at now: Instant = start) -> [SyncRecord<IPv4>] {
        var records: [SyncRecord<IPv4>] = []
        while let next = nextRecord(at: now) {
            switch next {
            case .record(let record):
                records.append(record)
                peer.apply(record, at: now)
            case .bulkBegins: peer.journal.beginReceivingBulk()
            case .bulkEnds: peer.journal.endReceivingBulk(&peer.engine)
            }
        }
        return records
    }

    // MARK: What is known

    var count: Int { engine.count }
    func session(_ flow: FiveTuple) -> Session? { engine.table.find(flow).map { engine.table[$0.index] } }
}
