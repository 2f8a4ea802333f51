public import Appliances
public import Dataplane
public import LabEvents
public import LabTime

/// A box in a virtual network, run by the driver that runs it on real links.
public final class VirtualBox<Box: Appliance & ~Copyable>: VirtualStation {
    public let name: String
    /// Names of its ports, in their order.
    public let ports: [String]
    public private(set) var driver: ApplianceDriver<Box, VirtualLinks>
    /// Counts starts.
    public private(set) var incarnation = 0
    /// Of the links at its ports.
    public private(set) var carrier: [Bool]
    public var events: [ApplianceEvent] = []
    /// What its own kernel received, that is what left by the host sides of its ports.
    public var hostFrames: [BoxFrame] = []
    /// Sees each frame that leaves, before anybody else.
    public var onFrame: (BoxFrame) -> Void = { _ in }
    /// Changes or checks the events of a call before they are kept.
    public var onEvents: ([ApplianceEvent]) -> [ApplianceEvent] = { $0 }
    private unowned let network: VirtualNetwork

    init(_ name: String, ports: [String], _ box: consuming Box, in network: VirtualNetwork) {
        self.name = name
        self.ports = ports
        self.network = network
        carrier = Array(repeating: true, count: ports.count)
        driver = ApplianceDriver(box, links: VirtualLinks(network.clock), output: FrameQueue())
    }

    public var appliance: Box {
        _read { yield driver.appliance }
        _modify { yield &driver.appliance }
    }

    public var isAlive: Bool { driver.isRunning }

    // MARK: Power

    /// Starts the box as it was added.
    public func start() {
        incarnation += 1
        driver.start()
        for (port, isUp) in carrier.enumerated() where !isUp {
            driver.carrierChanged(port: ports[port], isUp: false)
        }
        _ = collect()
    }

    /// Starts another box in the place of this one: a restart, after which nothing is remembered.
    public func start(_ box: consuming Box) {
        driver = ApplianceDriver(box, links: VirtualLinks(network.clock), output: FrameQueue())
        start()
    }

    /// The box stops within the instruction. Frames that are on their way to it arrive nowhere, unless a later
    /// incarnation is there by then.
    public func powerOff() { driver.stop() }

    /// A link's carrier at this end, whether the box lives or not.
    public func setCarrier(_ port: Int, isUp: Bool) {
        guard carrier[port] != isUp else { return }
        carrier[port] = isUp
        driver.carrierChanged(port: ports[port], isUp: isUp)
        _ = collect()
    }

    // MARK: Frames and commands

    public func receive(_ bytes: [UInt8], on port: Int) {
        guard isAlive, carrier[port] else { return }
        process([BoxFrame(bytes, port: PortIndex(port))])
    }

    /// Puts frames to the box that arrive together, whatever its links are like. Those of a box that is off are lost.
    /// - Returns: what left because of them
    @discardableResult
    public func process(_ frames: [BoxFrame]) -> [BoxFrame] {
        guard isAlive else { return [] }
        for frame in frames { driver.links.arrive(frame) }
        while driver.receive() {}
        return collect()
    }

    @discardableResult
    public func process(_ bytes: [UInt8], on port: PortIndex, side: PortSide = .wire) -> [BoxFrame] {
        process([BoxFrame(bytes, port: port, side: side)])
    }

    public func perform(_ command: ApplianceCommand) -> ApplianceReply {
        if case .carrier(let port, let isUp) = command, let index = ports.firstIndex(of: port) {
            carrier[index] = isUp
        }
        defer { _ = collect() }
        return driver.perform(command)
    }

    /// Any other call of the appliance; its frames are sent after it.
    public func call<Result>(_ body: (inout Box, Instant, inout FrameQueue) throws -> Result) rethrows -> Result {
        defer { _ = collect() }
        return try driver.call(body)
    }

    // MARK: Time

    public var deadline: Instant? { driver.deadline }

    public func advance() {
        driver.advance()
        _ = collect()
    }

    /// Frames and events of the last call, to where they belong.
    private func collect() -> [BoxFrame] {
        let sent = driver.links.takeSent()
        for frame in sent {
            onFrame(frame)
            if frame.side == .host {
                hostFrames.append(frame)
            } else if Int(frame.port) < carrier.count, carrier[Int(frame.port)] {
                network.send(frame.bytes, from: self, port: Int(frame.port))
            }
        }
        let new = driver.takeEvents()
        if !new.isEmpty { events += onEvents(new) }
        return sent
    }

    // MARK: What is seen

    public func events(_ kind: EventKind) -> [ApplianceEvent] { events.filter { $0.kind == kind } }

    /// The largest number where the box has no counter of that name, so that no comparison is true by mistake.
    public func counter(_ name: String) -> UInt64 {
        driver.appliance.counters.first { $0.name == name }?.value ?? .max
    }

    /// Every reason for drops that counted: `not-for-us 1`.
    public var drops: [String] {
        driver.appliance.counters.filter { $0.name.hasPrefix("drop.") && $0.value > 0 }
            .map { "\($0.name.dropFirst(5)) \($0.value)" }
    }
}
