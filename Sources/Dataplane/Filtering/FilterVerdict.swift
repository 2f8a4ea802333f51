/// What a stateful filter says about a packet.
@frozen public enum FilterVerdict: Hashable, Sendable {
    /// It belongs to this session, or opened it.
    case pass(FlowIndex)
    case drop(DropReason)
}
