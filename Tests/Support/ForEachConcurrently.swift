/// Does `work` for each item, as many at a time as there are processors; for tests that calculate.
/// - Throws: the first error, after all work has ended
public func forEachConcurrently<Item: Sendable>(
    _ items: [Item], _ work: @escaping @Sendable (Item) throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for item in items { group.addTask { try work(item) } }
        for try await _ in group {}
    }
}
