import LabTime
import Wire

@testable import Dataplane

/// A filter that lets only FTP's control connections through, and the two ends of one.
struct ControlBench: ~Copyable {
    static let client = IPv4Address(192, 0, 2, 10)
    static let server = IPv4Address(198, 51, 100, 20)
    static let start = Instant(nanoseconds: 1_000_000_000)
    static let rule = FilterRule(name: "ftp", action: .allow, protocol: .tcp, destinationPorts: 21...21)

    var filter: SessionEngine<IPv4>
    var now = ControlBench.start
    /// As the client's packets arrive, and the server's.
    var flow: FiveTuple
    var answer: FiveTuple
    var clientSequence: UInt32 = 1000
    var serverSequence: UInt32 = 0xffff_ff00

    init(
        capacity: Int = 64, gateways: [ApplicationGateway] = [.ftp], nat: consuming SourceNAT<IPv4> = .none,
        port: UInt16 = 4000
    ) {
        filter = SessionEngine<IPv4>(
            capacity: capacity, rules: [Self.rule], otherwise: .deny, nat: nat, gateways: gateways)
        flow = FiveTuple(
            source: Self.client, destination: Self.server, sourcePort: port, destinationPort: 21, protocol: .tcp)
        answer = flow.reversed
    }

    mutating func evaluate(
        _ flow: FiveTuple, _ flags: TCPFlags, _ text: String = "", sequence: UInt32 = 1, breaksChecksum: Bool = false
    ) -> FilterVerdict {
        var bytes = [UInt8](repeating: 0, count: 54 + text.utf8.count)
        for (index, byte) in text.utf8.enumerated() { bytes[54 + index] = byte }
        let now = now
        return bytes.withUnsafeMutableBytes { buffer in
            _ = EthernetHeader(destination: .zero, source: .zero, etherType: .ipv4).emit(into: buffer)
            _ = TCPHeader(
                sourcePort: flow.sourcePort, destinationPort: flow.destinationPort, sequence: sequence,
                acknowledgement: 1, flags: flags, window: 1000
            ).emit(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[34...]), payloadLength: text.utf8.count,
                source: flow.source, destination: flow.destination)
            if breaksChecksum { buffer[50] ^= 0xff }
            _ = IPv4Header(source: flow.source, destination: flow.destination, protocol: .tcp).emit(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[14...]), payloadLength: 20 + text.utf8.count)
            guard case .layout(let layout) = FrameLayout.parse(UnsafeRawBufferPointer(buffer)) else {
                return .drop(.malformedIPv4)
            }
            return filter.evaluate(layout, in: UnsafeRawPointer(buffer.baseAddress!), from: 0, at: now)
        }
    }

    /// The handshake, as the filter sees it.
    mutating func connect() {
        guard case .pass(let index) = evaluate(flow, .syn) else { return }
        answer = filter.table.reply(of: index) ?? flow.reversed
        _ = evaluate(answer, [.syn, .ack])
        _ = evaluate(flow, .ack)
    }

    mutating func say(_ line: String) -> FilterVerdict {
        let text = line + "\r\n"
        let verdict = evaluate(flow, [.psh, .ack], text, sequence: clientSequence)
        clientSequence &+= UInt32(text.utf8.count)
        return verdict
    }

    mutating func reply(_ line: String) -> FilterVerdict {
        let text = line + "\r\n"
        let verdict = evaluate(answer, [.psh, .ack], text, sequence: serverSequence)
        serverSequence &+= UInt32(text.utf8.count)
        return verdict
    }

    /// The question and the reply that opens a pinhole to the server's port.
    mutating func agree(on port: UInt16) {
        _ = say("PASV")
        _ = reply("227 Entering Passive Mode (198,51,100,20,\(port >> 8),\(port & 0xff))")
    }

    /// The client's data connection.
    func data(to port: UInt16, from source: UInt16 = 5000) -> FiveTuple {
        FiveTuple(
            source: Self.client, destination: Self.server, sourcePort: source, destinationPort: port, protocol: .tcp)
    }

    static func passes(_ verdict: FilterVerdict) -> Bool {
        if case .pass = verdict { return true }
        return false
    }

    mutating func opens(_ flow: FiveTuple) -> Bool { Self.passes(evaluate(flow, .syn)) }
}
