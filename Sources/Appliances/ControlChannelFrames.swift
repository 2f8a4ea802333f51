public import Dataplane
public import Wire

/// Which frames are the conversation of a box with its peer: those that it must hear however many others wait.
///
/// A box that is flooded with packets and therefore misses what its peer says would take it for dead; one that misses
/// acknowledgements would send everything again.
public enum ControlChannelFrames: Hashable, Sendable {
    /// UDP by a cross-connect.
    case datagrams(port: PortIndex, to: ClosedRange<UInt16>)
    /// IPv4 packets of a protocol by any port, where there is no cross-connect. Dearer: the kernel then offers every
    /// frame of the box to both queues.
    case packets(IPProtocol)
}
