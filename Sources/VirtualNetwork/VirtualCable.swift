internal import Dataplane
public import Impairment
public import LabTime

/// A cable of a virtual network, with the faults of an impairment link: the same rules, by the same engine.
///
/// Without rules a frame arrives within the instant in which it was sent.
public final class VirtualCable {
    public let name: String
    let ends: [VirtualPort]
    private var faults: FaultyCable
    private var queue = FrameQueue(capacity: 1024, slots: 0)
    private unowned let network: VirtualNetwork

    init(_ name: String, _ near: VirtualPort, _ far: VirtualPort, rules: [FaultRule], in network: VirtualNetwork) {
        self.name = name
        self.network = network
        ends = [near, far]
        do {
            faults = try FaultyCable(
                rules: rules, ends: [], limits: FaultyCable.Limits(events: 0), compile: { throw NoFilter(text: $0) })
        } catch {
            preconditionFailure("\(name): \(error.reason)")
        }
    }

    struct NoFilter: Error, CustomStringConvertible {
        var text: String
        var description: String { "a virtual network has no pcap filters, such as '\(text)'" }
    }

    /// Adds a rule behind the others, or replaces the one of its name.
    public func install(_ rule: FaultRule) { perform(.install(rule)) }

    public func perform(_ order: FaultOrder) {
        let refusal = faults.perform(order, at: network.now, into: &queue)
        precondition(refusal == nil, "\(name): \(refusal ?? "")")
        collect()
    }

    /// Everything that is on its way is lost.
    public func loseFrames() {
        faults.loseHeld()
        network.loseArrivals(through: self)
    }

    public var tally: CableTally { faults.tally }

    func enter(_ bytes: [UInt8], at end: Int) {
        var bytes = bytes
        bytes.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            var frame = Frame(base: base, length: Int32(buffer.count), port: PortIndex(end), side: .wire)
            withUnsafePointer(to: &frame) {
                faults.process(UnsafeBufferPointer(start: $0, count: 1), at: network.now, into: &queue)
            }
            collect()
        }
    }

    var deadline: Instant? { faults.deadline }

    func advance() {
        faults.advance(to: network.now, into: &queue)
        collect()
    }

    private func collect() {
        guard queue.count > 0 else { return }
        for index in 0..<queue.count {
            network.arrive(Array(queue[index].bytes), through: self, at: Int(queue[index].port))
        }
        queue.removeAll()
        _ = faults.takeEvents()
    }
}
