import Appliances
import Dataplane
import PacketText
import VirtualNetwork
import Wire

/// Outside clients with a control connection to the inside server each, who ask for ports and connect to them: their own,
/// and each other's.
///
/// What is lost is sent again, byte for byte, as TCP would.
struct PairTransfers {
    static let clients = 6
    static let controlPort: UInt16 = 21
    /// From here on ports are announced, each once.
    private static let firstPort: UInt16 = 20_000

    private struct Talk {
        var control: FiveTuple
        var isOpen = false
        var clientSequence: UInt32 = 1
        var serverSequence: UInt32 = 1
        /// What the server has sent, and the client has not got yet.
        var pending: (port: UInt16, text: String)?
        /// What the client knows, and has not connected to yet.
        var port: UInt16?
    }

    private var talks: [Talk] = []
    /// Announcements that left the server since they were taken.
    private(set) var announced: [(control: FiveTuple, port: UInt16)] = []
    private var nextPort = Self.firstPort
    private var nextSource: UInt16 = 30_000
    /// Whose an announced port is.
    private var owners: [UInt16: IPv4Address] = [:]

    init(_ lab: FirewallLab) {
        for number in 0..<Self.clients {
            talks.append(Talk(control: Self.control(number, port: 40_000, lab)))
            lab.client.addresses.append(.ipv4(Self.address(number)))
        }
    }

    private static func address(_ number: Int) -> IPv4Address { IPv4Address(192, 0, 2, UInt8(100 + number)) }

    private static func control(_ number: Int, port: UInt16, _ lab: FirewallLab) -> FiveTuple {
        FiveTuple(
            source: address(number), destination: lab.server.address, sourcePort: port, destinationPort: controlPort,
            protocol: .tcp)
    }

    // MARK: What happens

    /// The next step of a control connection: its first, a question, or an answer that was lost.
    mutating func goOn(_ number: Int, through box: Int, _ lab: FirewallLab) {
        let talk = talks[number]
        if !talk.isOpen {
            send(talk.control, .syn, through: box, lab)
        } else if let pending = talk.pending {
            sendText(pending.text, isClient: false, number, through: box, lab)
        } else {
            sendText("PASV\r\n", isClient: true, number, through: box, lab)
        }
    }

    /// A client connects to the port that was announced to another, or to itself.
    /// - Returns: the control connection, where the port is the client's own: its pinhole may be used up now
    mutating func connect(_ number: Int, from client: Int, through box: Int, _ lab: FirewallLab) -> FiveTuple? {
        guard let port = talks[number].port else { return nil }
        nextSource = nextSource < 60_000 ? nextSource + 1 : 30_000
        let flow = FiveTuple(
            source: Self.address(client), destination: lab.server.address, sourcePort: nextSource,
            destinationPort: port, protocol: .tcp)
        send(flow, .syn, through: box, lab)
        guard client == number else { return nil }
        talks[number].port = nil
        return talks[number].control
    }

    mutating func takeAnnounced() -> [(control: FiveTuple, port: UInt16)] {
        defer { announced.removeAll() }
        return announced
    }

    /// Connections that neither box knows any more are begun anew, with another port.
    mutating func tidy(_ lab: FirewallLab) {
        for number in talks.indices where talks[number].isOpen {
            let control = talks[number].control
            guard !lab.boxes.contains(where: { $0.isAlive && $0.firewall.knows(control) }) else { continue }
            talks[number] = Talk(
                control: Self.control(number, port: control.sourcePort &+ 1 | 0x8000, lab))
        }
    }

    // MARK: What arrives

    /// - Returns: a connection that was to reach nobody
    mutating func serverReceived(_ frame: SeenFrame, _ lab: FirewallLab) -> FiveTuple? {
        guard let layout = frame.layout, layout.fiveTuple.protocol == .tcp else { return nil }
        let flow = layout.fiveTuple
        if flow.destinationPort == Self.controlPort {
            guard let number = talks.firstIndex(where: { $0.control == flow }) else { return nil }
            if layout.tcpFlags.isInitialSYN { lab.send(flow.reversed, [.syn, .ack], from: lab.server) }
            guard layout.payloadLength > 0, frame.sequence == talks[number].clientSequence else { return nil }
            talks[number].clientSequence &+= UInt32(layout.payloadLength)
            nextPort = nextPort < 29_999 ? nextPort + 1 : Self.firstPort
            owners[nextPort] = flow.source
            let bytes = lab.server.address.description.replacing(".", with: ",")
            let text = "227 Entering Passive Mode (\(bytes),\(nextPort >> 8),\(nextPort & 0xff))\r\n"
            talks[number].pending = (nextPort, text)
            talks[number].port = nil
            announced.append((flow, nextPort))
            guard let gateway = lab.server.gatewayMAC else { return nil }
            lab.server.send(
                Self.segment(flow.reversed, text, talks[number].serverSequence, from: lab.server, to: gateway))
            return nil
        }
        guard layout.tcpFlags.isInitialSYN, owners[flow.destinationPort] != flow.source else { return nil }
        return flow
    }

    mutating func clientReceived(_ frame: SeenFrame, _ lab: FirewallLab) {
        guard let layout = frame.layout, layout.fiveTuple.sourcePort == Self.controlPort,
            let number = talks.firstIndex(where: { $0.control == layout.fiveTuple.reversed })
        else { return }
        if layout.tcpFlags == [.syn, .ack] {
            talks[number].isOpen = true
            lab.send(talks[number].control, .ack, from: lab.client)
        } else if layout.payloadLength > 0, frame.sequence == talks[number].serverSequence,
            let pending = talks[number].pending
        {
            talks[number].serverSequence &+= UInt32(layout.payloadLength)
            talks[number].port = pending.port
            talks[number].pending = nil
        }
    }

    // MARK: Sending

    private func send(_ flow: FiveTuple, _ flags: TCPFlags, through box: Int, _ lab: FirewallLab) {
        lab.client.send(
            PacketText().bytes(
                "\(flow.text) \(flags)", from: lab.client.mac, to: FirewallLab.mac(box, FirewallLab.outside)))
    }

    private func sendText(_ text: String, isClient: Bool, _ number: Int, through box: Int, _ lab: FirewallLab) {
        let talk = talks[number]
        let (host, port) = isClient ? (lab.client, FirewallLab.outside) : (lab.server, FirewallLab.inside)
        host.send(
            Self.segment(
                isClient ? talk.control : talk.control.reversed, text,
                isClient ? talk.clientSequence : talk.serverSequence, from: host, to: FirewallLab.mac(box, port)))
    }

    /// A segment of a control connection.
    private static func segment(
        _ flow: FiveTuple, _ text: String, _ sequence: UInt32, from host: VirtualHost, to destination: MACAddress
    ) -> [UInt8] {
        PacketText().bytes(
            "\(flow.text) PSH,ACK seq \(sequence)", payload: Array(text.utf8), from: host.mac, to: destination)
    }
}
