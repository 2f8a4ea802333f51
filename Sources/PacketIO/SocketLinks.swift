internal import Appliances
internal import Dataplane
internal import EventLoop
internal import LabTime

/// A box's real links: its packet socket, and the loop's clock.
struct SocketLinks: ~Copyable, ApplianceLinks {
    var socket: PacketSocket
    let loop: EventLoop

    var now: Instant { loop.now }
    mutating func receive(into frames: UnsafeMutableBufferPointer<Frame>) -> Int { socket.receive(into: frames) }
    mutating func transmit(_ frames: borrowing FrameQueue) { socket.transmit(frames) }
    mutating func release() { socket.giveBack() }
}
