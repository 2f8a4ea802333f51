public import Appliances
internal import Glibc

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
            CounterReading(name: "io.received", value: received, meaning: "Frames that arrived at the box's ports."),
            CounterReading(name: "io.sent", value: sent, meaning: "Frames that left the box's ports."),
            CounterReading(
                name: "io.drop.ring-full", value: ringFull,
                meaning:
                    "Frames that arrived while the box had not yet taken the earlier ones: it was too slow, or it hung."
            ),
            CounterReading(
                name: "io.drop.conversation-full", value: controlChannelFull,
                meaning:
                    "Frames of the peer's conversation that arrived while the box had not yet taken the earlier ones."),
            CounterReading(
                name: "io.drop.too-long", value: tooLong,
                meaning:
                    "Frames longer than the port's MTU allows; where any arrive, a veth end has segmentation offload on."
            ),
            CounterReading(
                name: "io.drop.no-link", value: noLink,
                meaning: "Frames for the host side of a port that has none."),
            CounterReading(
                name: "io.drop.link-down", value: linkDown, meaning: "Frames for a port whose interface is down."),
            CounterReading(
                name: "io.drop.no-buffer", value: noBuffer,
                meaning:
                    "Frames that the kernel did not take at once: a queue was full, or the link's far end was down."),
            CounterReading(
                name: "io.drop.refused", value: refused, meaning: "Frames that the kernel refused for another reason."),
            CounterReading(
                name: "io.foreign", value: foreign,
                meaning: "Frames on interfaces of the namespace that are no port of the box; they are left alone."),
            CounterReading(
                name: "io.checksum-incomplete", value: checksumsIncomplete,
                meaning: "Frames whose checksum the sender left to hardware: a veth end has checksum offload on."),
        ]
    }
}
