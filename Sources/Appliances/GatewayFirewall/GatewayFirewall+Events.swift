import Configuration
import Dataplane
public import LabEvents
import LabTime
import Wire

/// What a gateway firewall tells of its states. Details of each: `connection` in the product's notation, `flow`,
/// `state`, `interface`, `timer`; where a state moved also `from` and `to`.
enum StateEvent: Int, CaseIterable {
    case created
    /// A state became CLOSING:CLOSED: what a delayed FIN leaves behind.
    case closingClosed
    /// A state ended because no packet came.
    case expired
    /// The same of a state that had been CLOSING:CLOSED.
    case closingClosedExpired
    /// A packet did not fit the state that it met; `packet` has its flags, `action` what its sender was told.
    case refused
    /// A connection was refused because the table is full.
    case tableFull

    var kind: EventKind {
        switch self {
        case .created: .stateCreated
        case .closingClosed: .stateClosingClosed
        case .expired: .stateExpired
        case .closingClosedExpired: .stateClosingClosedExpired
        case .refused: .stateRefused
        case .tableFull: .stateTableFull
        }
    }
}

extension GatewayFirewall {
    mutating func tell(of judgement: StateJudgement, _ packet: PacketView, at now: Instant) {
        switch judgement.change {
        case .none: break
        case .created(let state):
            report(.created, judgement.index, at: now)
            if state == .closingClosed { report(.closingClosed, judgement.index, at: now) }
        case .moved(let from, let to) where to == .closingClosed:
            report(.closingClosed, judgement.index, at: now, [.from: from.description, .to: to.description])
        case .moved: break
        }
        switch judgement.verdict {
        case .pass: break
        case .outOfState(let policy):
            report(
                .refused, judgement.index, at: now,
                [.packet: packet.tcpFlags.description, .action: policy.rawValue])
        case .drop(.flowTableFull):
            guard limits.take(.tableFull, at: now) else { return }
            let flow = packet.fiveTuple
            events.append(
                ApplianceEvent(
                    StateEvent.tableFull.kind, at: now,
                    details: [.flow: flow.connectionWords, .states: "\(states.count)"]))
        case .drop: break
        }
    }

    private mutating func report(
        _ event: StateEvent, _ index: FlowIndex?, at now: Instant, _ more: EventDetails = [:]
    ) {
        guard let index, states.table.contains(index), limits.take(event, at: now) else { return }
        let reading = reading(
            of: states.table.original(of: index), states.table[index], until: states.table.expiry(of: index), at: now)
        append(event, reading, at: now, more)
    }

    private mutating func append(
        _ event: StateEvent, _ reading: ConnectionReading, at now: Instant, _ more: EventDetails
    ) {
        var details: EventDetails = [.connection: reading.description, .flow: reading.flow, .state: reading.state]
        details[.interface] = reading.interface
        details[.timer] = reading.timer
        details.merge(more) { $1 }
        events.append(ApplianceEvent(event.kind, at: now, details: details))
    }

    mutating func expire(at now: Instant) {
        while let (flow, entry) = states.nextExpired(at: now) {
            let event: StateEvent = entry.hasBeenClosingClosed ? .closingClosedExpired : .expired
            guard limits.take(event, at: now) else { continue }
            append(event, reading(of: flow, entry, until: now, at: now), at: now, [:])
        }
    }

    // MARK: The table

    func connections(at now: Instant) -> ConnectionList {
        states.table.connections { place in
            reading(
                of: states.table.original(of: place), states.table[place], until: states.table.expiry(of: place),
                at: now)
        }
    }

    private func reading(
        of flow: FiveTuple, _ entry: StateEntry, until expiry: Instant, at now: Instant
    ) -> ConnectionReading {
        ConnectionReading(
            source: flow.sourceWords, destination: flow.destinationWords, direction: entry.direction.name,
            protocol: "\(flow.protocol)", state: entry.words(of: flow.protocol),
            interface: configuration.ports[Int(entry.port)].name, timer: entry.timer.name,
            remaining: max(.zero, expiry - now))
    }

    // MARK: Counters

    public var counters: [CounterReading] {
        return ports.counters.readings() + [
            CounterReading(.states, states.count),
            CounterReading(.statesCreated, states.created),
            CounterReading(.statesExpired, states.expired),
            CounterReading(.statesReused, states.reused),
            CounterReading(.statesOutOfState, states.outOfStatePackets),
            CounterReading(.fragmentsHeld, fragments.heldCount),
            CounterReading(.fragmentsDatagrams, fragments.count),
            CounterReading(.fragmentsEvicted, fragments.evicted),
            CounterReading(.eventsSuppressed, limits.suppressed),
        ]
    }
}
