/// Answers that must all arrive before the supervisor goes on to make the lab ready.
struct PendingAnswers {
    private var missing: Set<String> = []
    private var then: () -> Void = {}

    /// Waits for all of `names`; with none to wait for, `then` is called at once.
    mutating func wait(for names: some Sequence<String>, then: @escaping () -> Void) -> (() -> Void)? {
        missing = Set(names)
        self.then = then
        return missing.isEmpty ? take() : nil
    }

    /// - Returns: what to call now, where this was the last answer
    mutating func arrived(_ name: String) -> (() -> Void)? {
        guard missing.remove(name) != nil else { return nil }
        return missing.isEmpty ? take() : nil
    }

    var names: String { missing.sorted().joined(separator: ", ") }

    private mutating func take() -> () -> Void {
        defer { then = {} }
        return then
    }
}
