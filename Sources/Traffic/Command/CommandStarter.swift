public import Measurement

/// Starts the runs of a program of kind `command`, each in its node and confined as the node's programs are.
public protocol CommandStarter: AnyObject {
    /// - Parameters:
    ///   - run: its number among the program's, from 1
    ///   - onEnd: called once, when nothing of the run is left; not from within this call
    func start(
        _ words: [String], run: Int, onEnd: @escaping (CommandEnd) -> Void
    ) throws(CommandStartError) -> any StartedCommand
}

/// A run of a command.
public protocol StartedCommand: AnyObject {
    /// SIGTERM for the command itself.
    func terminate()
    /// SIGKILL for it and all that it has started.
    func kill()
    /// Reports its end at once where it has ended already and the loop has not seen it yet.
    func lookForEnd()
}

/// Why a command could not be started.
public struct CommandStartError: Error, Hashable {
    public var reason: String

    public init(_ reason: String) { self.reason = reason }
}
