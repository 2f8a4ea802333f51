import Wire

/// What is known of the peer's configuration.
struct AgreementPeer: Sendable {
    /// What it stated last.
    struct Statement: Sendable {
        var epoch: UInt64 = 0
        var sequence: UInt64 = 0
        var stage = ConfigurationStatement.Stage.idle
        var transaction: UInt32 = 0
        var answers: UInt32 = 0
        var running: UInt64 = 0
        var candidate: UInt64 = 0
        var items = CollectedItems()
    }

    /// nil until it stated something.
    private(set) var latest: Statement?
    /// Its push with which this box is done, one way or the other; its next one is another matter.
    private(set) var settled: UInt32 = 0
    /// Its configuration that was reported as different from the one here; 0 where none is.
    var reportedDrift: UInt64 = 0
    /// Whether statements are the peer's for certain.
    private let isAuthenticated: Bool
    /// The last statement that was numbered too low, and how many such came in a row.
    private var stray: (sequence: UInt64, count: Int) = (0, 0)

    init(isAuthenticated: Bool) { self.isAuthenticated = isAuthenticated }

    /// This box is done with its push.
    mutating func settle() { settled = latest?.transaction ?? 0 }

    /// - Returns: whether the statement is of a new incarnation; nil where it does not count
    mutating func receive(_ statement: ConfigurationStatement) -> Bool? {
        var known = latest ?? Statement()
        let isNew = statement.epoch != known.epoch
        if isNew {
            guard statement.epoch > known.epoch || !isAuthenticated else { return nil }
            known = Statement(epoch: statement.epoch)
            settled = 0
        }
        guard statement.sequence > known.sequence || isInRow(statement) else { return nil }
        stray = (0, 0)
        known.sequence = statement.sequence
        known.stage = statement.stage
        known.transaction = statement.transaction
        known.answers = statement.answers
        known.running = statement.running
        if statement.candidate != known.candidate { known.items = CollectedItems() }
        known.candidate = statement.candidate
        known.items.add(statement)
        latest = known
        return isNew
    }

    /// Whether statements that are numbered lower than one before come in a row. Without a key that one may have been
    /// somebody else's.
    private mutating func isInRow(_ statement: ConfigurationStatement) -> Bool {
        guard !isAuthenticated else { return false }
        stray = (statement.sequence, statement.sequence > stray.sequence ? stray.count + 1 : 1)
        return stray.count >= 3
    }
}

extension AgreementPeer.Statement {
    var isWilling: Bool { stage != .blocked && stage != .idle }

    /// Whether the peer has refused this very push.
    func refuses(_ transaction: UInt32) -> Bool { stage == .blocked && answers == transaction }
}

/// The items of a peer's candidate, as they come in.
struct CollectedItems: Sendable {
    private var items: [Int: ConfigurationItem] = [:]
    private var count = 0

    mutating func add(_ statement: ConfigurationStatement) {
        guard statement.itemCount > 0 else { return }
        if statement.itemCount != count {
            items.removeAll()
            count = statement.itemCount
        }
        for (offset, item) in statement.items.enumerated() { items[statement.firstItem + offset] = item }
    }

    /// All of them; nil while some are missing.
    var whole: [ConfigurationItem]? {
        guard count > 0, items.count == count else { return nil }
        return items.sorted { $0.key < $1.key }.map(\.value)
    }
}
