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

    /// A signal for its main process; has a reply.
    case signalProgram(ProgramReference, ProgramSignal, ends: Bool)
    /// Ends a program and starts it again; has a reply when it is ready.
    case restartProgram(ProgramReference)
    /// Has a reply when the command has ended.
    /// - Parameter event: the name of the step's event
    case run(NodeCommand, node: String, event: String)
    /// In the node's network stack; of a box, on its host side.
    case network(NetworkChange, node: String)

    /// Whether its outcome is a reply of the node, which may never come.
    package var hasReply: Bool {
        switch self {
        case .command, .killProgram, .startProgram, .signalProgram, .restartProgram, .run: true
        case .kill, .start, .stop, .freeze, .resume, .setLinks, .setLink, .network: false
        }
    }

    /// Whether the reply comes only when something has happened on the node, not at once.
    package var takesTime: Bool {
        switch self {
        case .run, .restartProgram, .startProgram: true
        default: false
        }
    }

    /// What it may take beside the time in which a node replies.
    package var duration: Duration {
        switch self {
        case .run(let command, _, _): command.timeout
        // The program's end, and until it is ready.
        case .restartProgram: .seconds(25)
        default: .zero
        }
    }

    /// The same as part of a step whose event has that name.
    package func named(_ event: String) -> NodeAction {
        if case .run(let command, let node, _) = self { .run(command, node: node, event: event) } else { self }
    }
}
