import Appliances
import Dataplane
import PacketText
import VirtualNetwork
import Wire

/// The hosts at both sides of a pair. The inside one opens connections; whoever gets a SYN or its answer goes on with the
/// handshake. Both have FTP transfers.
struct PairHosts {
    var transfers: PairTransfers
    /// First packets of connections that the outside host has received, and nobody has taken.
    var firstPackets: [SeenFrame] = []
    private var seenAtClient = 0
    private var seenAtServer = 0

    init(_ lab: FirewallLab) { transfers = PairTransfers(lab) }

    func open(_ port: UInt16, through box: Int, _ lab: FirewallLab) {
        let flow = FiveTuple(
            source: lab.server.address, destination: lab.client.address, sourcePort: port, destinationPort: 80,
            protocol: .tcp)
        lab.server.send(
            PacketText().bytes(
                "\(flow.text) SYN", from: lab.server.mac, to: FirewallLab.mac(box, FirewallLab.inside)))
    }

    /// Answers what has arrived.
    /// - Returns: what the promises are to know of it
    mutating func answer(_ lab: FirewallLab) -> [PairHappening] {
        var happenings: [PairHappening] = []
        while seenAtClient < lab.client.received.count {
            let frame = lab.client.received[seenAtClient].frame
            seenAtClient += 1
            transfers.clientReceived(frame, lab)
            guard let layout = frame.layout, layout.fiveTuple.protocol == .tcp, layout.tcpFlags.isInitialSYN else {
                continue
            }
            happenings.append(.left(frame))
            firstPackets.append(frame)
            lab.send(layout.fiveTuple.reversed, [.syn, .ack], from: lab.client)
        }
        while seenAtServer < lab.server.received.count {
            let frame = lab.server.received[seenAtServer].frame
            seenAtServer += 1
            if let stranger = transfers.serverReceived(frame, lab) { happenings.append(.strangerGotIn(stranger)) }
            happenings += transfers.takeAnnounced().map { PairHappening.announced($0.port, on: $0.control) }
            guard let layout = frame.layout, layout.fiveTuple.protocol == .tcp, layout.tcpFlags == [.syn, .ack],
                layout.fiveTuple.sourcePort == 80
            else { continue }
            lab.send(layout.fiveTuple.reversed, .ack, payload: 4, from: lab.server)
        }
        return happenings
    }
}
