extension Variant {
    /// What the scenario's `exec` steps run, and where.
    public var stepCommands: [(node: String, words: [String])] {
        scenario.compactMap { step in
            guard case .fail(let fault, as: _) = step, let exec = fault.value as? ExecStep else { return nil }
            return (exec.node, exec.command.words)
        }
    }
}
