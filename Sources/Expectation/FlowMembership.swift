import Evidence
import LabTime
import Measurement
import Wire

/// Finds the traffic program's flow to which a frame belongs, by the client's address and port; of ICMP echo the
/// identifier stands for the port.
///
/// Only the client's end is compared: a balancer translates the server's end, and behind source translation no frame of
/// a flow is recognised. A frame in a tunnel belongs to the flow of the inner packet. Where two flows had the same
/// client port one after the other, a frame belongs to the one that had started last. A flow that reconnects, or changes
/// its port, has all frames of its ends.
struct FlowMembership: Sendable {
    /// Protocol, address and port of a flow's client end.
    struct ClientEnd: Hashable, Sendable {
        var proto: UInt8
        var address: IPAddress
        var port: UInt16
    }

    struct Owner: Hashable, Sendable {
        var start: Timestamp
        var program: String
        /// Its place among the program's flows.
        var flow: Int
        /// When that flow began, perhaps at another end.
        var flowStart: Timestamp
    }

    enum Side: Hashable, Sendable {
        case toServer
        case toClient
    }

    /// In the order of their starts.
    private var owners: [ClientEnd: [Owner]] = [:]

    init(_ traffic: [TrafficResult]) {
        for result in traffic {
            for (number, flow) in result.flows.enumerated() {
                for end in flow.ends {
                    owners[result.clientEnd(of: end), default: []].append(
                        Owner(start: end.start, program: result.program.name, flow: number, flowStart: flow.start))
                }
            }
        }
        for (end, list) in owners where list.count > 1 { owners[end] = list.sorted { $0.start < $1.start } }
    }

    /// Whether a frame belongs to the program's flows, and its direction; nil where it does not.
    func side(of reading: FrameReading, at time: Timestamp, program: String) -> Side? {
        for (end, side) in reading.clientEnds where owner(of: end, at: time)?.program == program { return side }
        return nil
    }

    /// As above, for one flow of it.
    /// - Parameter ends: the flow's own
    func side(
        of reading: FrameReading, at time: Timestamp, flow: FlowResult, ends: Set<ClientEnd>, of result: TrafficResult
    ) -> Side? {
        for (end, side) in reading.clientEnds where ends.contains(end) {
            guard let owner = owner(of: end, at: time) else { continue }
            if owner.flowStart == flow.start, owner.program == result.program.name {
                return side
            }
        }
        return nil
    }

    /// The number of the program's flow that a frame belongs to on its way to the server; nil where it is of none.
    func flow(of reading: FrameReading, at time: Timestamp, program: String) -> Int? {
        for (end, side) in reading.clientEnds where side == .toServer {
            guard let owner = owner(of: end, at: time), owner.program == program else { continue }
            return owner.flow
        }
        return nil
    }

    /// The program's flow that a frame belongs to, and the frame's direction; nil where it is of none.
    func flowAndSide(of reading: FrameReading, at time: Timestamp, program: String) -> (flow: Int, side: Side)? {
        for (end, side) in reading.clientEnds {
            guard let owner = owner(of: end, at: time), owner.program == program else { continue }
            return (owner.flow, side)
        }
        return nil
    }

    private func owner(of end: ClientEnd, at time: Timestamp) -> Owner? {
        guard let list = owners[end] else { return nil }
        // A client may note the start a moment after the kernel has sent the first frame.
        return list.last { $0.start <= time } ?? list.first
    }
}

extension FrameReading {
    /// Both ends of the frame's packet, as the client's end that each would be.
    fileprivate var clientEnds: [(FlowMembership.ClientEnd, FlowMembership.Side)] {
        // IP-in-IP, IPv6 in IP, GRE: the outer packet belongs to no flow.
        let packet = packet.flatMap { [4, 41, 47].contains($0.proto) ? inner : $0 }
        if let packet, let echo = packet.icmp?.echo {
            let client = echo.isRequest ? packet.source : packet.destination
            let end = FlowMembership.ClientEnd(proto: packet.proto, address: client, port: echo.identifier)
            return [(end, echo.isRequest ? .toServer : .toClient)]
        }
        guard let packet, let source = packet.sourcePort, let destination = packet.destinationPort else { return [] }
        return [
            (.init(proto: packet.proto, address: packet.source, port: source), .toServer),
            (.init(proto: packet.proto, address: packet.destination, port: destination), .toClient),
        ]
    }
}

extension TrafficResult {
    func clientEnd(of end: FlowEnd) -> FlowMembership.ClientEnd {
        .init(proto: program.transport.rawValue, address: end.source, port: end.sourcePort)
    }
}
