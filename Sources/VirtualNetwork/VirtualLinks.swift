public import Appliances
public import Dataplane
public import LabTime

/// The time of a virtual network, which all of its boxes read.
public final class VirtualClock {
    public internal(set) var now: Instant

    init(_ origin: Instant) { now = origin }
}

/// The links of a box in a virtual network: frames that have reached it, and frames that it has sent.
///
/// A frame that is processed lies in memory of exactly its length.
public struct VirtualLinks: ~Copyable, ApplianceLinks {
    private let clock: VirtualClock
    private var waiting: [BoxFrame] = []
    private var memory: [UnsafeMutableRawPointer] = []
    private var sent: [BoxFrame] = []

    init(_ clock: VirtualClock) { self.clock = clock }

    deinit { for base in memory { base.deallocate() } }

    public var now: Instant { clock.now }

    mutating func arrive(_ frame: BoxFrame) { waiting.append(frame) }

    public mutating func receive(into frames: UnsafeMutableBufferPointer<Frame>) -> Int {
        let count = min(waiting.count, frames.count)
        for index in 0..<count {
            let frame = waiting[index]
            let base = UnsafeMutableRawPointer.allocate(byteCount: max(1, frame.bytes.count), alignment: 16)
            frame.bytes.withUnsafeBytes { bytes in
                if let start = bytes.baseAddress { base.copyMemory(from: start, byteCount: bytes.count) }
            }
            memory.append(base)
            frames.initializeElement(
                at: index,
                to: Frame(base: base, length: Int32(frame.bytes.count), port: frame.port, side: frame.side))
        }
        waiting.removeFirst(count)
        return count
    }

    public mutating func transmit(_ frames: borrowing FrameQueue) {
        for index in 0..<frames.count {
            let frame = frames[index]
            sent.append(BoxFrame(Array(frame.bytes), port: frame.port, side: frame.side))
        }
    }

    public mutating func release() {
        for base in memory { base.deallocate() }
        memory.removeAll(keepingCapacity: true)
    }

    mutating func takeSent() -> [BoxFrame] {
        guard !sent.isEmpty else { return [] }
        defer { sent = [] }
        return sent
    }
}
