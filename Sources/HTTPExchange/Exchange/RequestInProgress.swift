package import LabTime

/// A request from its first byte until its answer is complete: what the access log has of it, and what a second attempt
/// needs.
package struct RequestInProgress {
    /// When its first byte was read.
    package var began: Instant
    /// When a member was chosen.
    package var served: Instant?
    package var texts = RequestTexts()
    /// The member that is asked, by its place in the pool.
    package var member: Int?
    /// The first one that was chosen; the others follow around the pool.
    var firstMember: Int?
    package var source: SourceEndpoint?
    package var status = 0
    /// Bytes of the answer's body.
    package var responseSize = 0
    /// The head as it goes to the member; there while one is asked.
    var head: MessageBuffer?

    init(began: Instant) { self.began = began }
}
