import Appliances
import Dataplane
import LabEvents
import LabTime

/// The smallest box: what arrives on the wire of port 0 leaves by port 1 and the other way round; frames to its own
/// address go to the host side, and what the host side sends leaves by the same port.
struct PortForwarder: Appliance, ~Copyable {
    /// Frames to it are the host side's.
    static let ownAddress: [UInt8] = [2, 0, 0, 0, 0, 0xaa]

    /// Events of its own have kinds and details of others.
    static let tick = EventKind.delayed
    static let batch = EventKind.limited
    static let carrier = EventKind.armed

    /// Ticks that are still to come, each with a frame on port 0 and an event.
    var ticks = 0
    var tickInterval = Duration.milliseconds(2)
    /// Whether each forwarded batch is told as an event.
    var tellsBatches = false
    /// Whether forwarded frames get this as their last byte, in place.
    var mark: UInt8?
    var controlChannel: ControlChannelFrames?
    var refusedByQueue: UInt64 = 0
    private(set) var deadline: Instant?
    private var events: [ApplianceEvent] = []

    init(
        ticks: Int = 0, tellsBatches: Bool = false, mark: UInt8? = nil, controlChannel: ControlChannelFrames? = nil
    ) {
        self.controlChannel = controlChannel
        self.ticks = ticks
        self.tellsBatches = tellsBatches
        self.mark = mark
    }

    mutating func start(at now: Instant, into output: inout FrameQueue) {
        if ticks > 0 { deadline = now + tickInterval }
        emit(PortFrame.make(length: 60, number: 1000), into: &output)
        events.append(ApplianceEvent(.ready, at: now))
    }

    mutating func process(_ frames: UnsafeBufferPointer<Frame>, at now: Instant, into output: inout FrameQueue) {
        for var frame in frames {
            if frame.side == .host {
                frame.side = .wire
            } else if frame.bytes.prefix(6).elementsEqual(Self.ownAddress) {
                frame.side = .host
            } else {
                frame.port = 1 - frame.port
            }
            if let mark { frame.bytes[Int(frame.length) - 1] = mark }
            if !output.append(frame) { refusedByQueue += 1 }
        }
        if tellsBatches { events.append(ApplianceEvent(Self.batch, at: now, details: [.packet: "\(frames.count)"])) }
    }

    mutating func advance(to now: Instant, into output: inout FrameQueue) {
        guard let due = deadline, due <= now else { return }
        ticks -= 1
        emit(PortFrame.make(length: 60, number: UInt32(ticks)), into: &output)
        events.append(ApplianceEvent(Self.tick, at: now, details: [.by: "\(due.nanoseconds)"]))
        deadline = ticks > 0 ? due + tickInterval : nil
    }

    mutating func perform(
        _ command: ApplianceCommand, at now: Instant, into output: inout FrameQueue
    ) -> ApplianceReply {
        switch command {
        case .switchover:
            emit(PortFrame.make(length: 60, number: 2000), into: &output)
            return .done
        case .carrier(let port, let isUp):
            events.append(
                ApplianceEvent(Self.carrier, at: now, details: [.interface: port, .state: isUp ? "up" : "down"]))
            return .done
        case .member, .weight, .routes, .connections, .clear, .policy, .fault:
            return .refused(reason: "it balances nothing")
        }
    }

    mutating func takeEvents() -> [ApplianceEvent] {
        guard !events.isEmpty else { return [] }
        defer { events = [] }
        return events
    }

    var counters: [CounterReading] {
        [CounterReading(.elementQueueFull, refusedByQueue)]
    }

    private func emit(_ frame: [UInt8], into output: inout FrameQueue) {
        output.make(length: frame.count, port: 0, side: .wire)?.copyBytes(from: frame)
    }
}
