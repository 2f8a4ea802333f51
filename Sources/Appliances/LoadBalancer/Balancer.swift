import Dataplane
import LabTime
import Wire

/// What a load balancer does with packets of one address family: their sessions, mappings and translation ports.
///
/// Services and ports are those of `BalancerCore`, which every method gets.
struct Balancer<Family: TunnelFamily>: ~Copyable {
    /// Sessions of fast-path services.
    var flows: IPFlowTable<Family, BalancerFlow<Family>>
    /// Client endpoints of per-packet services.
    var mappings: IPFlowTable<Family, DatagramMapping<Family.Address>>
    /// Two for each port, TCP and UDP, of its address.
    private let translators: UnsafeMutablePointer<TranslationPorts>
    private let translatorCount: Int

    /// - Parameters:
    ///   - capacity: the most sessions, and the most mappings
    ///   - scatter: seed of the tables
    ///   - seeds: of translation ports, two for each port
    init(capacity: Int, scatter: UInt64, seeds: [UInt64]) {
        flows = IPFlowTable(capacity: capacity, seed: scatter)
        mappings = IPFlowTable(capacity: capacity, seed: scatter)
        translatorCount = seeds.count
        translators = .allocate(capacity: max(1, seeds.count))
        for (index, seed) in seeds.enumerated() { (translators + index).initialize(to: TranslationPorts(start: seed)) }
    }

    deinit {
        translators.deinitialize(count: translatorCount)
        translators.deallocate()
    }

    var deadline: Instant? {
        guard let first = flows.deadline, let second = mappings.deadline else {
            return flows.deadline ?? mappings.deadline
        }
        return min(first, second)
    }

    mutating func expire(_ core: inout BalancerCore, at now: Instant) {
        while let index = flows.nextExpired(at: now) {
            core.ports.counters.count(flows[index].progress.isOver ? .flowsClosed : .flowsExpired)
            end(index, &core)
        }
        while let index = mappings.nextExpired(at: now) {
            core.ports.counters.count(.flowsExpired)
            let mapping = mappings[index]
            releasePort(mapping.translationPort, of: mapping.translationOwner, true)
            mappings.remove(index)
        }
    }

    // MARK: Sessions

    /// Forgets a session and gives back what it held.
    mutating func end(_ index: FlowIndex, _ core: inout BalancerCore) {
        let flow = flows[index]
        let service = Int(flow.service)
        if flow.translationPort != 0 {
            releasePort(flow.translationPort, of: flow.translationOwner, core.services[service].transport == .udp)
        }
        if flow.kind == .client { core.services[service].removeSession(from: Int(flow.member)) }
        flows.remove(index)
    }

    /// Ends every session of a member that went down.
    /// - Returns: how many there were
    mutating func removeSessions(of service: Int, member: Int, _ core: inout BalancerCore) -> Int {
        var removed = 0
        var next = flows.next(after: nil)
        while let index = next {
            let flow = flows[index]
            // A monitor's own connection is how it finds that the member is back.
            if flow.kind == .client, flow.service == UInt16(service), flow.member == UInt16(member) {
                end(index, &core)
                removed += 1
            }
            next = flows.next(after: index)
        }
        core.ports.counters.count(.flowsRemoved, times: removed)
        return removed
    }

    // MARK: Translation ports

    /// How many are taken.
    var portsTaken: Int { (0..<translatorCount).reduce(0) { $0 + translators[$1].count } }

    mutating func takePort(of port: PortIndex, isUDP: Bool) -> UInt16? { translators[place(port, isUDP)].take() }

    mutating func releasePort(_ number: UInt16, of port: PortIndex, _ isUDP: Bool) {
        translators[place(port, isUDP)].release(number)
    }

    private func place(_ port: PortIndex, _ isUDP: Bool) -> Int { Int(port) * 2 + (isUDP ? 1 : 0) }
}
