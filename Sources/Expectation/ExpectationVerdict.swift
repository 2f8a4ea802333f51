/// The verdict of the evidence on an expectation, a variant or a whole lab.
public enum ExpectationVerdict: String, Hashable, Sendable, Codable, CaseIterable {
    case pass
    case fail
    /// The evidence does not decide: frames were lost, something could not be read, or nothing was asked.
    case inconclusive

    /// The verdict over several: one failure fails them all, one doubt leaves them in doubt, and no expectation is
    /// no proof.
    public init(combining verdicts: some Sequence<ExpectationVerdict>) {
        let all = Set(verdicts)
        self = all.contains(.fail) ? .fail : all == [.pass] ? .pass : .inconclusive
    }
}
