import Configuration
import Dataplane
import LabEvents
import LabTime
import Wire

/// What a box of a pair does with data frames on the cross-connect, and counts of them.
struct Conduit {
    enum Event: Int, CaseIterable {
        case forwarded
        case returned
        case received
        case delivered
        case tooBig
    }

    let configuration: ConduitConfiguration
    let cross: PairSettings.CrossConnect
    var tally = EventTally<Event>()
    /// Frames by the worker that got them.
    private var workers: [UInt64]

    init(_ configuration: ConduitConfiguration, over cross: PairSettings.CrossConnect) {
        self.configuration = configuration
        self.cross = cross
        workers = [UInt64](repeating: 0, count: configuration.workers)
    }

    /// Sends a packet to the peer; one that is too big is counted.
    /// - Parameter event: what is counted where it leaves, or waits for the peer's MAC address
    mutating func send(
        _ packet: PacketView, _ key: ConduitKey, as event: Event, through link: inout PeerLink,
        by ports: inout BoxPorts, at now: Instant, into output: inout FrameQueue
    ) {
        guard link.fits(packet, ports) else { return tally.count(.tooBig) }
        if link.send(packet, key, by: &ports, at: now, into: &output) { tally.count(event) }
    }

    /// A frame of the peer goes to a worker: by the mark of the flow that it carries, or by the outer header alone.
    mutating func receive(_ key: ConduitKey, _ outer: FrameLayout) {
        tally.count(.received)
        let mark =
            switch configuration.spread {
            case .inner: key.flow
            case .outer: ConduitKey.mark(of: outer.fiveTuple)
            }
        workers[Int(mark % UInt32(configuration.workers))] &+= 1
    }

    var readings: [CounterReading] {
        [
            CounterReading(.conduitForwarded, tally[.forwarded]),
            CounterReading(.conduitReturned, tally[.returned]),
            CounterReading(.conduitReceived, tally[.received]),
            CounterReading(.conduitDelivered, tally[.delivered]),
            CounterReading(.conduitTooBig, tally[.tooBig]),
        ]
            + workers.enumerated().map { CounterReading(.conduitWorker, [.worker: "\($0.offset)"], $0.element) }
    }
}
