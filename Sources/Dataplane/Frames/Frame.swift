/// The number of a port of a box, from 0 in the order of its configuration.
public typealias PortIndex = UInt8

/// The two sides of a box's port: the link itself, and the box's own kernel behind the dataplane.
public enum PortSide: UInt8, Sendable {
    /// The link: what a cable would carry.
    case wire
    /// The host side: the box's own TCP/IP, where proxies and monitors run.
    case host
}

/// One Ethernet frame in memory that somebody else owns: a receive ring, or the arena of a `FrameQueue`.
///
/// The bytes stay valid, and may be rewritten in place, until the call that handed the frame over has returned and
/// the queue that it was put into has been transmitted.
public struct Frame {
    public var base: UnsafeMutableRawPointer
    /// Bytes of the frame, from the destination MAC address, without FCS.
    public var length: Int32
    public var port: PortIndex
    public var side: PortSide

    @inlinable
    public init(base: UnsafeMutableRawPointer, length: Int32, port: PortIndex, side: PortSide) {
        self.base = base
        self.length = length
        self.port = port
        self.side = side
    }

    /// The frame's bytes; a view of the same memory.
    @inlinable public var bytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base, count: Int(length))
    }
}
