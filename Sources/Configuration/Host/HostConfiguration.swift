public import Measurement

/// A node with the kernel's own stack.
public struct HostConfiguration: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case client
        case backend
        /// Forwards between its interfaces.
        case router
    }

    public var kind: Kind
    /// What it listens to and answers.
    public var servers: [ServerProgram]
    /// Of a router.
    public var trackedRoutes: [TrackedRoute] = []

    public init(kind: Kind, servers: [ServerProgram], trackedRoutes: [TrackedRoute] = []) {
        self.kind = kind
        self.servers = servers
        self.trackedRoutes = trackedRoutes
    }
}
