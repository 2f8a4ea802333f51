package import Dataplane
package import LabTime
package import Wire

/// The sessions that a pair replicates, as replication needs them: by places, flows and records.
///
/// A session, and a pinhole, keeps its place as long as it lasts.
package protocol SessionStore: ~Copyable {
    var count: Int { get }
    func contains(_ index: FlowIndex) -> Bool
    func find(_ flow: FiveTuple) -> FlowMatch?
    /// The flow of a session's first packet.
    func original(of index: FlowIndex) -> FiveTuple
    /// The next session in the order of places, which may be removed during the walk.
    func next(after index: FlowIndex?) -> FlowIndex?
    /// Whether a peer is to know the session.
    func isReplicated(_ index: FlowIndex) -> Bool

    // MARK: Records of own sessions

    func record(of index: FlowIndex, at now: Instant) -> SessionRecord
    func metadata(of index: FlowIndex) -> MetadataRecord
    /// What a session has announced; nil where that is nothing, or has come.
    func pinholeRecord(of index: FlowIndex, at now: Instant) -> PinholeRecord?

    // MARK: Records of the peer

    /// Whether `prefetch` is worth its time.
    var isWorthPrefetching: Bool { get }
    func prefetch(_ record: SessionRecord)
    /// - Parameter onlyNew: a session that is known here stays as it is
    mutating func adopt(_ record: SessionRecord, onlyNew: Bool, at now: Instant) -> SessionAdoption
    mutating func adopt(_ metadata: MetadataRecord)
    /// Removes a session without a report to the journal.
    mutating func discard(_ index: FlowIndex)

    // MARK: Pinholes of the peer

    /// Whether the box knows pinholes at all.
    var opensPinholes: Bool { get }
    /// The place of what a control connection has announced.
    func pinhole(ofControl control: FiveTuple) -> FlowIndex?
    /// - Returns: its place; nil where there is no room
    mutating func adopt(_ pinhole: PinholeRecord, at now: Instant) -> FlowIndex?
    func nextPinhole(after place: FlowIndex?) -> FlowIndex?
    mutating func removePinhole(_ place: FlowIndex)
}

extension SessionEngine: SessionStore {
    package func contains(_ index: FlowIndex) -> Bool { table.contains(index) }
    package func find(_ flow: FiveTuple) -> FlowMatch? { table.find(flow) }
    package func original(of index: FlowIndex) -> FiveTuple { table.original(of: index) }
    package func next(after index: FlowIndex?) -> FlowIndex? { table.next(after: index) }
}
