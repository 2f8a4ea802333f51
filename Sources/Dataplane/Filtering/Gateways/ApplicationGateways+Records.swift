public import LabTime
public import Wire

// Pinholes as a peer knows them, each by its place, which stays the same as long as it waits.
extension ApplicationGateways {
    /// - Parameter control: the flow of the control connection's first packet
    /// - Returns: nil where it has announced nothing, or its connection has come
    @inlinable
    func record(ofControl control: FlowKey<Family>, at now: Instant) -> PinholeRecord<Family>? {
        guard let match = pinholes.find(control), match.direction == .reply else { return nil }
        let remaining = (pinholes.expiry(of: match.index) - now).nanoseconds / 1_000_000
        return PinholeRecord(
            expected: pinholes.original(of: match.index), control: control,
            remainingMilliseconds: UInt32(clamping: max(0, remaining)))
    }

    /// The place of what a control connection has announced.
    @inlinable func place(ofControl control: FlowKey<Family>) -> FlowIndex? { pinholes.find(control)?.index }

    /// Opens a pinhole of the peer.
    /// - Returns: nil where there is no room
    @inlinable
    mutating func adopt(_ record: PinholeRecord<Family>, at now: Instant) -> FlowIndex? {
        let lifetime = min(Self.pinholeLifetime, record.remaining)
        guard let place = openPinhole(record.expected, of: record.control, until: now + lifetime, at: now) else {
            return nil
        }
        tally.adopted &+= 1
        return place
    }

    /// The peer's data connection has used its pinhole.
    @inlinable
    mutating func closePinhole(usedBy flow: FlowKey<Family>) {
        if let match = pinholes.find(flow.expected), match.direction == .original { pinholes.remove(match.index) }
    }
}
