/// Which of the pair's sessions a box has.
///
/// | | states that it knows sessions | takes a vacant role before an empty box | preempts |
/// |---|---|---|---|
/// | `none` | no | no | no |
/// | `own` | yes | yes | no |
/// | `pair` | yes | yes | yes |
///
/// So a box with sessions of a term of its own does not lose the role to an empty one, and does not ask for it before it
/// has those of the rival, too. The Active does not rely on the statement alone (`Election.wouldKeepSessions`).
enum SessionKnowledge: Hashable, Sendable {
    /// None since the start.
    case none
    /// Those of its own term: a rival was Active beside it that it did not receive. The rival's are still under way.
    case own
    /// Those of the pair: the box is the only Active, handed over, or has received them all.
    case pair
}
