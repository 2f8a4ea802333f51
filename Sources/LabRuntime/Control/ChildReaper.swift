/// Collects the ends of this process's children.
public enum ChildReaper {
    /// - Returns: the PID of each child that has ended since the last call, and how
    public static func reap() -> [(pid: Int32, end: String)] {
        ChildProcess.reap().map { ($0.pid, $0.end.words) }
    }
}
