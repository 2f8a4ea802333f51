internal import Glibc

/// Verbs with which this executable starts itself; they are not for users.
public enum HiddenVerb: String, CaseIterable {
    case warden = "__warden"
    /// The name of a node's process; it is forked by that of `nodes`.
    case node = "__node"
    case nodes = "__nodes"
    case capture = "__capture"
    case program = "__program"
    case unpack = "__unpack"

    /// Runs the verb and ends the process with it; returns where the arguments name none.
    public static func runIfAsked(_ arguments: [String]) {
        guard arguments.count > 1, let verb = HiddenVerb(rawValue: arguments[1]) else { return }
        switch verb {
        case .warden: Warden.run(isPersistent: arguments.dropFirst(2).first == "persistent")
        case .node: NodeProcess.run(name: arguments.dropFirst(2).first ?? "")
        case .nodes: NodeStarter.serve()
        case .capture: CaptureProcess.run()
        case .unpack: ImageUnpacking.run(arguments.dropFirst(2).first ?? "")
        case .program: ProgramProcess.run(arguments.dropFirst(2).first ?? "")
        }
    }
}
