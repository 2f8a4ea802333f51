import LabTime
import Wire

/// Numbers a box's own statements, and knows when the next is due.
struct AgreementSender: Sendable {
    /// Grows with each start of the box.
    let epoch: UInt64
    private var sequence: UInt64 = 0
    /// Counts pushes.
    private(set) var transaction: UInt32 = 0
    /// nil while no push is under way.
    var dueAt: Instant?

    init(epoch: UInt64) { self.epoch = epoch }

    mutating func beginTransaction() { transaction &+= 1 }

    mutating func nextSequence() -> UInt64 {
        sequence += 1
        return sequence
    }
}

extension ConfigurationAgreement {
    /// Sends everything, and plans the next time.
    mutating func sendStatement(at now: Instant) {
        sender.dueAt = isOpen ? now + settings.interval : nil
        guard let candidate = phase.disputed, let known = peer.latest?.candidate, known != 0, known != candidate.digest
        else { return actions.append(.send(statement())) }
        let items = candidate.items
        var first = 0
        repeat {
            var statement = statement()
            var room = settings.messageSize - ConfigurationStatement.headerLength
            statement.itemCount = items.count
            statement.firstItem = first
            while first < items.count, items[first].length <= room, statement.items.count < 255 {
                room -= items[first].length
                statement.items.append(items[first])
                first += 1
            }
            actions.append(.send(statement))
        } while first < items.count
    }

    private mutating func statement() -> ConfigurationStatement {
        ConfigurationStatement(
            stage: stage, isActive: isActive, epoch: sender.epoch, sequence: sender.nextSequence(),
            transaction: sender.transaction, answers: peer.settled, running: running,
            candidate: phase.candidate?.digest ?? 0)
    }
}
