package import Appliances

/// Something that is done to a node.
package enum NodeAction: Hashable, Sendable {
    /// The process gets SIGKILL.
    case kill(node: String)
    /// Starts the process of a node that was killed.
    case start(node: String)
    /// The process and its programs get SIGSTOP.
    case stop(node: String)
    /// All that runs on the node is stopped where it is, for good: a kill comes next.
    case freeze(node: String)
    /// The process and its programs get SIGCONT.
    case resume(node: String)
    /// The carrier of all of the node's links.
    case setLinks(node: String, isUp: Bool)
    /// The carrier of one cable.
    case setLink(InterfaceReference, isUp: Bool)
    /// Has a reply.
    case command(ApplianceCommand, node: String)
    /// Kills a program with all that it started; has a reply.
    case killProgram(ProgramReference)
    /// Starts a program that was killed; has a reply.
    case startProgram(ProgramReference)

    /// Whether its outcome is a reply of the node, which may never come.
    package var hasReply: Bool {
        switch self {
        case .command, .killProgram, .startProgram: true
        case .kill, .start, .stop, .freeze, .resume, .setLinks, .setLink: false
        }
    }
}
