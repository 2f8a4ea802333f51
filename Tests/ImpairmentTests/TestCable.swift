import Dataplane
import LabEvents
import LabTime
import Testing
import Wire

@testable import Impairment

/// A cable in virtual time.
final class TestCable {
    /// A frame that left: when, at which port, what.
    struct Left: Hashable {
        var at: Int64
        var port: UInt8
        var bytes: [UInt8]
    }

    private var cable: FaultyCable
    private var queue: FrameQueue
    private(set) var left: [Left] = []
    private(set) var events: [FaultEvent] = []

    init(_ rules: [FaultRule], limits: FaultyCable.Limits = .init(), capacity: Int = 1024) throws {
        queue = FrameQueue(capacity: capacity, slots: 0)
        cable = try FaultyCable(rules: rules, ends: ["client", "server"], limits: limits, compile: TestCable.compile)
    }

    convenience init(_ action: FaultAction, _ selection: FrameSelection = FrameSelection()) throws {
        try self.init([FaultRule(name: "fault", selection: selection, action: action)])
    }

    struct NoFilter: Error, CustomStringConvertible { var description: String }

    /// `port N` stands for the whole of libpcap's language.
    static func compile(_ text: String) throws -> FrameMatcher {
        guard text.hasPrefix("port "), let port = UInt16(text.dropFirst(5)) else {
            throw NoFilter(description: "'\(text)' is not a filter")
        }
        return { frame in
            guard case .layout(let layout) = FrameLayout.parse(frame) else { return false }
            return layout.fiveTuple.sourcePort == port || layout.fiveTuple.destinationPort == port
        }
    }

    /// Frames that arrive together, at a time in microseconds.
    func arrive(_ frames: [[UInt8]], at time: Int64, port: UInt8 = 0) {
        advance(to: time)
        let buffers = frames.map { bytes in
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
            buffer.copyBytes(from: bytes)
            return buffer
        }
        defer { for buffer in buffers { buffer.deallocate() } }
        let list = buffers.map { Frame(base: $0.baseAddress!, length: Int32($0.count), port: port, side: .wire) }
        list.withUnsafeBufferPointer { cable.process($0, at: Self.instant(time), into: &queue) }
        take(time)
    }

    func arrive(_ frame: [UInt8], at time: Int64, port: UInt8 = 0) { arrive([frame], at: time, port: port) }

    /// Every deadline up to a time, each at its own.
    func advance(to time: Int64) {
        while let deadline = cable.deadline, deadline <= Self.instant(time) {
            cable.advance(to: deadline, into: &queue)
            take(deadline.nanoseconds / 1000)
        }
    }

    @discardableResult
    func order(_ order: FaultOrder, at time: Int64) -> String? {
        advance(to: time)
        let refusal = cable.perform(order, at: Self.instant(time), into: &queue)
        take(time)
        return refusal
    }

    var tally: CableTally { cable.tally }
    var held: Int { cable.heldCount }
    var kinds: [EventKind] { events.map(\.kind) }
    var payloads: [UInt8] { left.map { $0.bytes.last! } }

    private func take(_ time: Int64) {
        for index in 0..<queue.count {
            let frame = queue[index]
            left.append(Left(at: time, port: frame.port, bytes: Array(frame.bytes)))
        }
        queue.removeAll()
        let new = cable.takeEvents()
        for event in new {
            let details = event.details.merging([.rule: event.rule]) { $1 }
            if let problem = event.kind.problem(with: details, from: .exactFault) { Issue.record("\(problem)") }
        }
        events += new
    }

    private static func instant(_ microseconds: Int64) -> Instant { Instant(nanoseconds: microseconds * 1000) }
}

/// Frames between a client, 192.0.2.10:40000 unless said otherwise, and a server, 192.0.2.20:7000.
enum CableFrame {
    static let client = IPv4Address(192, 0, 2, 10)
    static let server = IPv4Address(192, 0, 2, 20)

    static func tcp(
        _ flags: TCPFlags, sequence: UInt32 = 100, payload: [UInt8] = [], clientPort: UInt16 = 40000,
        serverPort: UInt16 = 7000,
        fromServer: Bool = false
    ) -> [UInt8] {
        let (source, destination) = fromServer ? (server, client) : (client, server)
        var bytes = [UInt8](repeating: 0xa5, count: 54 + payload.count)
        bytes.withUnsafeMutableBytes { buffer in
            buffer[54...].copyBytes(from: payload)
            _ = EthernetHeader(destination: .broadcast, source: MACAddress(packed: 0x02_0000_0000_01), etherType: .ipv4)
                .emit(into: buffer)
            _ = TCPHeader(
                sourcePort: fromServer ? serverPort : clientPort, destinationPort: fromServer ? clientPort : serverPort,
                sequence: sequence, acknowledgement: 1, flags: flags, window: 1000
            ).emit(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[34...]), payloadLength: payload.count,
                source: source,
                destination: destination)
            _ = IPv4Header(source: source, destination: destination, protocol: .tcp, timeToLive: 64)
                .emit(into: UnsafeMutableRawBufferPointer(rebasing: buffer[14...]), payloadLength: 20 + payload.count)
        }
        return bytes
    }

    /// A data segment whose last byte is its number.
    static func data(_ number: UInt8, clientPort: UInt16 = 40000, fromServer: Bool = false) -> [UInt8] {
        tcp(
            [.ack, .psh], sequence: 1000 + 4 * UInt32(number), payload: [0, 0, 0, number], clientPort: clientPort,
            fromServer: fromServer)
    }

    static let syn = tcp(.syn)
    static let synAck = tcp([.syn, .ack], fromServer: true)
    static let fin = tcp([.fin, .ack], sequence: 200)
    static let rst = tcp(.rst, sequence: 300)
    static let ack = tcp(.ack, sequence: 400)

    static let arp: [UInt8] =
        [UInt8](repeating: 0xff, count: 6) + [2, 0, 0, 0, 0, 1, 8, 6] + [UInt8](repeating: 0, count: 46)
    static let marker: [UInt8] =
        [1, 0x80, 0xc2, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0x88, 0xb5] + [UInt8](repeating: 0, count: 46)
}
