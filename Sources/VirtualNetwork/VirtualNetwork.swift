public import Appliances
public import Impairment
public import LabTime
public import Wire

/// Boxes, hosts, switches and cables in virtual time.
///
/// Deterministic: everything follows from what is called and, where rules of cables draw random numbers, from the seed.
/// One `step` delivers one frame or fires the timers of one station. At one instant frames precede timers, as in
/// `ApplianceDriver`, and otherwise what was added first comes first.
public final class VirtualNetwork {
    let clock: VirtualClock
    public let origin: Instant
    /// Frames delivered and timers fired.
    public private(set) var steps = 0
    private var topology = VirtualTopology()
    private var arrivals = CableArrivals()
    private var recorder = NetworkTrace()
    /// Of the next rule that draws random numbers.
    private var seed: UInt64

    public init(seed: UInt64 = 1, at origin: Instant = Instant(nanoseconds: 1_000_000_000)) {
        self.seed = seed
        self.origin = origin
        clock = VirtualClock(origin)
    }

    public var now: Instant { clock.now }

    // MARK: Topology

    /// Adds a box that does not run yet.
    public func add<Box: Appliance & ~Copyable>(
        _ name: String, ports: [String], _ box: consuming Box
    ) -> VirtualBox<Box> {
        let station = VirtualBox(name, ports: ports, box, in: self)
        topology.add(station)
        return station
    }

    public func addHost(_ name: String, mac: MACAddress, addresses: [IPAddress]) -> VirtualHost {
        let host = VirtualHost(name, mac: mac, addresses: addresses, in: self)
        topology.add(host)
        return host
    }

    public func addSwitch(_ name: String) -> VirtualSwitch { topology.addSwitch(name) }

    /// Lays a cable from a switch to a port of a station. The rules' direction `fromNear` is towards the station.
    @discardableResult
    public func connect(
        _ hub: VirtualSwitch, to station: any VirtualStation, port: Int = 0, rules: [FaultRule] = []
    ) -> VirtualCable {
        let near = VirtualPort.hub(hub.number, port: hub.cables.count)
        let cable = VirtualCable(
            hub.name, near, .station(topology.number(of: station), port: port), rules: rules, in: self)
        hub.cables.append(cable)
        hub.stations.append(station)
        topology.plug(cable, end: 1, into: station, port)
        topology.add(cable)
        return cable
    }

    /// Lays a cable between ports of two stations.
    @discardableResult
    public func connect(
        _ name: String, _ near: any VirtualStation, _ nearPort: Int, _ far: any VirtualStation, _ farPort: Int,
        rules: [FaultRule] = []
    ) -> VirtualCable {
        let cable = VirtualCable(
            name, .station(topology.number(of: near), port: nearPort),
            .station(topology.number(of: far), port: farPort), rules: rules, in: self)
        topology.plug(cable, end: 0, into: near, nearPort)
        topology.plug(cable, end: 1, into: far, farPort)
        topology.add(cable)
        return cable
    }

    /// A rule whose randomness follows from the network's seed, each time from another part of it.
    public func rule(
        _ name: String, _ action: FaultAction, _ selection: FrameSelection = FrameSelection(), isArmed: Bool = true
    ) -> FaultRule {
        seed = seed &* 0x5851_f42d_4c95_7f2d &+ 0x1405_7b7e_f767_814f
        return FaultRule(name: name, selection: selection, action: action, isArmed: isArmed, seed: seed)
    }

    // MARK: Frames

    /// A frame enters the cable at a port of a station, as if the station had sent it.
    public func send(_ bytes: [UInt8], from station: any VirtualStation, port: Int) {
        guard let plug = topology.plug(at: port, of: station) else { return }
        let entry = TraceEntry(at: now, sender: station.name, link: plug.cable.name, bytes: bytes)
        recorder.onFrame(entry)
        recorder.record(entry)
        plug.cable.enter(bytes, at: plug.end)
    }

    /// Whether `trace` is kept.
    public var isTracing: Bool {
        get { recorder.isTracing }
        set { recorder.isTracing = newValue }
    }

    public var trace: [TraceEntry] { recorder.entries }

    /// Sees each frame that a station sends, whether it arrives anywhere or not.
    public var onFrame: (TraceEntry) -> Void {
        get { recorder.onFrame }
        set { recorder.onFrame = newValue }
    }

    func arrive(_ bytes: [UInt8], through cable: VirtualCable, at end: Int) {
        arrivals.append(CableArrivals.Arrival(cable: cable, end: end, bytes: bytes))
    }

    func loseArrivals(through cable: VirtualCable) { arrivals.lose(through: cable) }

    // MARK: Time

    /// Delivers what arrives now, and what this causes within the instant.
    public func settle() { run(for: .zero) }

    public func run(for duration: Duration) {
        let end = now + duration
        while step(until: end) {}
    }

    /// Does what comes next, at the latest at `end`.
    /// - Returns: false where nothing more happens until then; it is `end` then
    @discardableResult
    public func step(until end: Instant) -> Bool {
        while true {
            if deliverNext() {
                steps += 1
                return true
            }
            var due: Instant?
            var cable: VirtualCable?
            var station: (any VirtualStation)?
            for candidate in topology.cables {
                guard let deadline = candidate.deadline, due.map({ deadline < $0 }) ?? true else { continue }
                (due, cable) = (deadline, candidate)
            }
            for candidate in topology.stations {
                guard let deadline = candidate.deadline, due.map({ deadline < $0 }) ?? true else { continue }
                (due, station) = (deadline, candidate)
            }
            guard let due, due <= end else {
                clock.now = max(now, end)
                return false
            }
            clock.now = max(now, due)
            if let station {
                station.advance()
                steps += 1
                return true
            }
            cable?.advance()
        }
    }

    /// - Returns: false where no frame has arrived at a station
    private func deliverNext() -> Bool {
        while let arrival = arrivals.next() {
            switch arrival.cable.ends[arrival.end] {
            case .station(let number, let port):
                topology.stations[number].receive(arrival.bytes, on: port)
                return true
            case .hub(let number, let port):
                let hub = topology.switches[number]
                for other in hub.destinations(of: arrival.bytes, from: port) {
                    hub.cables[other].enter(arrival.bytes, at: 0)
                }
            }
        }
        return false
    }
}
