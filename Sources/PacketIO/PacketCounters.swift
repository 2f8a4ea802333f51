internal import Glibc
public import LabEvents

/// What a box's packet socket did, by reason.
public struct PacketCounters: Hashable, Sendable {
    public var received: UInt64 = 0
    public var sent: UInt64 = 0
    public var ringFull: UInt64 = 0
    public var controlChannelFull: UInt64 = 0
    public var tooLong: UInt64 = 0
    public var foreign: UInt64 = 0
    public var checksumsIncomplete: UInt64 = 0
    public var noLink: UInt64 = 0
    public var linkDown: UInt64 = 0
    public var noBuffer: UInt64 = 0
    public var refused: UInt64 = 0

    public init() {}

    /// Counts a frame that the kernel did not take.
    mutating func countRefusal(_ error: Int32) {
        switch error {
        case ENETDOWN, ENXIO, ENODEV: linkDown &+= 1
        case EAGAIN, ENOBUFS, ENOMEM: noBuffer &+= 1
        case EMSGSIZE: tooLong &+= 1
        default: refused &+= 1
        }
    }

    public var readings: [CounterReading] {
        [
            CounterReading(.ioReceived, received),
            CounterReading(.ioSent, sent),
            CounterReading(.ioRingFull, ringFull),
            CounterReading(.ioControlChannelFull, controlChannelFull),
            CounterReading(.ioTooLong, tooLong),
            CounterReading(.ioNoLink, noLink),
            CounterReading(.ioLinkDown, linkDown),
            CounterReading(.ioNoBuffer, noBuffer),
            CounterReading(.ioRefused, refused),
            CounterReading(.ioForeign, foreign),
            CounterReading(.ioChecksumsIncomplete, checksumsIncomplete),
        ]
    }
}
