internal import Measurement

/// How the flows of a kind of traffic are opened.
enum FlowOpening: Sendable {
    typealias Make =
        @Sendable (
            _ context: FlowContext, _ number: UInt32, _ offset: Duration, _ events: FlowEvents
        ) -> any Flow

    /// Each by itself.
    case each(Make)
    /// All of a program by one `DatagramCrowd`.
    case together

    /// One line a kind: the kinds are those of `TrafficKinds`.
    static let table: [TrafficProgram.Kind: FlowOpening] = [
        .tcpStream: .each { StreamFlow($0, flow: $1, offset: $2, events: $3) },
        .udp: .each { DatagramFlow($0, flow: $1, offset: $2, events: $3) },
        .udpRequest: .each { context, number, _, events in RequestProbe(context, flow: number, events: events) },
        .tcpConnect: .each { context, number, _, events in ConnectProbe(context, flow: number, events: events) },
        .httpRequest: .each { context, number, _, events in HTTPProbe(context, flow: number, events: events) },
        .ftp: .each { context, _, offset, events in TransferFlow(context, offset: offset, events: events) },
        .udpManyFlows: .together,
    ]

    /// A test sees that every kind has its line.
    static func of(_ kind: TrafficProgram.Kind) -> FlowOpening {
        guard let opening = table[kind] else { preconditionFailure("no flows of kind \(kind.rawValue)") }
        return opening
    }
}
