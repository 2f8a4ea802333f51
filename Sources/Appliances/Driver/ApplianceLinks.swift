public import Dataplane
public import LabTime

/// What a box is connected to: its links and the clock. `PacketIO` has real ones, a virtual network those of tests.
public protocol ApplianceLinks: ~Copyable {
    /// The time on the appliance's clock.
    var now: Instant { get }

    /// Takes frames that have arrived, in order of arrival, at most as many as fit. They stay valid, and may be
    /// rewritten in place, until `release`.
    mutating func receive(into frames: UnsafeMutableBufferPointer<Frame>) -> Int

    /// Sends frames in order; each is sent or counted. Their memory is not used after the call.
    mutating func transmit(_ frames: borrowing FrameQueue)

    /// The memory of all frames that `receive` took is free again.
    mutating func release()
}
