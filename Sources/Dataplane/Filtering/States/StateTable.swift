public import LabTime
import Mutants
public import Wire

/// The connection table of a gateway firewall: which packets pass, by the state of their connection.
///
/// Beside `SessionEngine`, which a firewall pair shares, this one follows what a single product does packet by packet:
/// profiles, pick-up in mid-stream, sequence windows, and connections of which only one side is seen. When the table
/// is full, new connections are refused and existing ones kept. Of a datagram in fragments the first is judged, for all.
public struct StateTable: ~Copyable {
    public let profile: StateProfile
    public let midStreamPickup: MidStreamPickup
    public let outOfStatePolicy: OutOfStatePolicy
    public let timers: StateTimers
    public internal(set) var table: FlowTable<StateEntry>
    public internal(set) var created: UInt64 = 0
    public internal(set) var expired: UInt64 = 0
    /// Packets that did not fit the state that they met.
    public internal(set) var outOfStatePackets: UInt64 = 0
    /// Finished connections whose ports a SYN used again.
    public internal(set) var reused: UInt64 = 0

    /// - Parameters:
    ///   - capacity: the most states
    ///   - outOfStatePolicy: nil for the profile's own
    ///   - seed: scatters the hash of five-tuples
    public init(
        capacity: Int, profile: StateProfile, midStreamPickup: MidStreamPickup = .loose,
        outOfStatePolicy: OutOfStatePolicy? = nil,
        timers: StateTimers? = nil, seed: UInt64 = 0x9E37_79B9_7F4A_7C15
    ) {
        self.profile = profile
        self.midStreamPickup = midStreamPickup
        self.outOfStatePolicy = outOfStatePolicy ?? profile.outOfStatePolicy
        var timers = timers ?? profile.timers
        if Mutant.isOn(.firstPacketTwiceAsLong) { timers.firstPacket *= 2 }
        self.timers = timers
        table = FlowTable(capacity: capacity, seed: seed)
    }

    public var count: Int { table.count }

    /// Judges a packet that crosses a filtering interface, and moves its connection's state.
    /// - Parameters:
    ///   - direction: how it crosses the interface
    ///   - port: the interface
    /// - Complexity: constant
    public mutating func evaluate(
        _ packet: PacketView, _ direction: StateDirection, on port: PortIndex, at now: Instant
    ) -> StateJudgement {
        guard packet.layout.fragment != .later else { return StateJudgement(.drop(.fragment)) }
        let place = Crossing(port: port, direction: direction)
        switch packet.ipProtocol {
        case .tcp: return evaluateTCP(packet, place, at: now)
        case .icmp: return evaluateICMP(packet, place, at: now)
        default: return evaluateConnectionless(packet.fiveTuple, place, at: now)
        }
    }

    /// Where a packet is judged.
    struct Crossing {
        var port: PortIndex
        var direction: StateDirection
    }

    // MARK: Connections

    mutating func open(
        _ flow: FiveTuple, _ entry: StateEntry, at now: Instant
    ) -> StateJudgement {
        switch table.insert(
            original: flow, reply: flow.reversed, value: entry, expires: now + timers[entry.timer], now: now)
        {
        case .inserted(let index):
            created &+= 1
            return StateJudgement(.pass, index, .created(entry.states))
        case .conflict(let match): return StateJudgement(.pass, match.index)
        case .full: return StateJudgement(.drop(.flowTableFull))
        }
    }

    /// Writes a state that a packet has moved.
    /// - Parameter timer: nil where the packet does not put the end off
    mutating func write(
        _ entry: StateEntry, to index: FlowIndex, from old: SessionState, timer: StateTimer?, at now: Instant
    ) -> StateJudgement {
        var entry = entry
        if let timer {
            entry.timer = timer
            table.keep(index, until: now + timers[timer], now: now)
        }
        let new = entry.states
        if new == .closingClosed { entry.hasBeenClosingClosed = true }
        table[index] = entry
        return StateJudgement(.pass, index, new == old ? .none : .moved(from: old, to: new))
    }

    mutating func outOfState(_ index: FlowIndex) -> StateJudgement {
        outOfStatePackets &+= 1
        return StateJudgement(.outOfState(outOfStatePolicy), index)
    }

    // MARK: UDP and protocols without ports

    /// Source: pf, `pf_test_state_udp` and `pf_test_state_other`
    private mutating func evaluateConnectionless(
        _ flow: FiveTuple, _ place: Crossing, at now: Instant
    ) -> StateJudgement {
        guard let match = table.find(flow) else {
            return open(
                flow, StateEntry(connectionlessOn: place, timer: .udpFirstPacket), at: now)
        }
        var entry = table[match.index]
        let old = entry.states
        entry.noteConnectionless(match.direction)
        let isMultiple = entry.original.state == .established && entry.reply.state == .established
        return write(entry, to: match.index, from: old, timer: isMultiple ? .udpMultiple : .udpSingle, at: now)
    }

    // MARK: Time

    public var deadline: Instant? { table.deadline }

    /// Takes out one state whose time has come.
    /// - Returns: nil where none is due
    public mutating func nextExpired(at now: Instant) -> (flow: FiveTuple, entry: StateEntry)? {
        guard let index = table.nextExpired(at: now) else { return nil }
        if Mutant.isOn(.statesNeverAge) {
            table.renew(index, until: now + .seconds(3600), now: now)
            return nil
        }
        let result = (table.original(of: index), table[index])
        table.remove(index)
        expired &+= 1
        return result
    }
}

extension StateTable {
    /// Forgets the states that are meant by the flow of their first packet.
    /// - Complexity: O(states)
    public mutating func remove(where isMeant: (FiveTuple) -> Bool) {
        var next = table.next(after: nil)
        while let index = next {
            if isMeant(table.original(of: index)) { table.remove(index) }
            next = table.next(after: index)
        }
    }
}

extension StateEntry {
    init(connectionlessOn place: StateTable.Crossing, timer: StateTimer) {
        self.init(
            original: StateSide(.synSent, hasSpoken: true), reply: StateSide(.closed, hasSpoken: false), on: place,
            timer: timer, beganWithSYN: false)
    }

    init(
        original: StateSide, reply: StateSide, on place: StateTable.Crossing, timer: StateTimer, beganWithSYN: Bool
    ) {
        self.original = original
        self.reply = reply
        port = place.port
        direction = place.direction
        self.timer = timer
        self.beganWithSYN = beganWithSYN
        hasBeenClosingClosed = false
        hasBeenClosingClosed = states == .closingClosed
    }

    /// `closed` stands for NO_TRAFFIC, `synSent` for SINGLE, `established` for MULTIPLE.
    mutating func noteConnectionless(_ sender: FlowDirection) {
        func note(_ sender: inout StateSide, _ other: inout StateSide) {
            sender.hasSpoken = true
            if sender.state < .synSent { sender.state = .synSent }
            if other.state == .synSent { other.state = .established }
        }
        if sender == .original { note(&original, &reply) } else { note(&reply, &original) }
    }
}
