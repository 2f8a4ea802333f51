/// What `failoverlab` ends with, for scripts and CI.
public enum ExitCode: Int32, Hashable, Sendable, CaseIterable {
    /// Every variant ended as expected.
    case pass = 0
    /// An expectation failed.
    case fail = 1
    /// A wrong command line or lab file.
    case usage = 2
    /// The lab could not be built, or a node died unexpectedly.
    case laboratory = 3
    /// This host cannot run the lab; the message names the change.
    case host = 4
    /// The evidence does not decide.
    case inconclusive = 5
    /// Interrupted; captures are kept, nothing is left behind.
    case interrupted = 130
}
