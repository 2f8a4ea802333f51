public import Dataplane
public import LabTime
public import Wire

/// The sessions that a pair replicates, as replication needs them: by places, flows and records.
///
/// A session, and a pinhole, keeps its place as long as it lasts.
@usableFromInline
package protocol SessionStore: ~Copyable {
    associatedtype Family: AddressFamily

    var count: Int { get }
    func contains(_ index: FlowIndex) -> Bool
    func find(_ flow: FlowKey<Family>) -> FlowMatch?
    /// The flow of a session's first packet.
    func original(of index: FlowIndex) -> FlowKey<Family>
    /// The next session in the order of places, which may be removed during the walk.
    func next(after index: FlowIndex?) -> FlowIndex?
    /// Whether a peer is to know the session.
    func isReplicated(_ index: FlowIndex) -> Bool

    // MARK: Records of own sessions

    func record(of index: FlowIndex, at now: Instant) -> SessionRecord<Family>
    func metadata(of index: FlowIndex) -> MetadataRecord<Family>
    /// What a session has announced; nil where that is nothing, or has come.
    func pinholeRecord(of index: FlowIndex, at now: Instant) -> PinholeRecord<Family>?

    // MARK: Records of the peer

    /// Whether `prefetch` is worth its time.
    var isWorthPrefetching: Bool { get }
    func prefetch(_ record: SessionRecord<Family>)
    /// - Parameter onlyNew: a session that is known here stays as it is
    mutating func adopt(_ record: SessionRecord<Family>, onlyNew: Bool, at now: Instant) -> SessionAdoption
    mutating func adopt(_ metadata: MetadataRecord<Family>)
    /// Removes a session without a report to the journal.
    mutating func discard(_ index: FlowIndex)

    // MARK: Pinholes of the peer

    /// Whether the box knows pinholes at all.
    var opensPinholes: Bool { get }
    /// The place of what a control connection has announced.
    func pinhole(ofControl control: FlowKey<Family>) -> FlowIndex?
    /// - Returns: its place; nil where there is no room
    mutating func adopt(_ pinhole: PinholeRecord<Family>, at now: Instant) -> FlowIndex?
    func nextPinhole(after place: FlowIndex?) -> FlowIndex?
    mutating func removePinhole(_ place: FlowIndex)
}

extension SessionEngine: SessionStore {
    @inlinable package func contains(_ index: FlowIndex) -> Bool { table.contains(index) }
    @inlinable package func find(_ flow: FlowKey<Family>) -> FlowMatch? { table.find(flow) }
    @inlinable package func original(of index: FlowIndex) -> FlowKey<Family> { table.original(of: index) }
    @inlinable package func next(after index: FlowIndex?) -> FlowIndex? { table.next(after: index) }
}
