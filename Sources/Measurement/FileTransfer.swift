public import Wire

/// What a program of kind `ftp` repeats on each of its control connections.
public struct FileTransfer: Hashable, Sendable, Codable {
    /// How the data connection is agreed upon.
    public enum Mode: String, Hashable, Sendable, Codable, CaseIterable {
        /// PASV: the client connects to the endpoint that the server announces. Source: RFC 959, 4.1.2
        case passive
        /// EPSV: the same with a port alone. Source: RFC 2428, 3
        case extendedPassive = "extended-passive"
        /// PORT: the server connects to the endpoint that the client announces. Source: RFC 959, 4.1.2
        case active
        /// EPRT: the same for both families. Source: RFC 2428, 2
        case extendedActive = "extended-active"

        public var isActive: Bool { self == .active || self == .extendedActive }
        public var isExtended: Bool { self == .extendedPassive || self == .extendedActive }
    }

    /// The longest file.
    public static let mostBytes = 1 << 30

    public var mode: Mode
    /// How long after the announcement the data connection begins.
    public var dataAfter: Duration
    public var bytes: Int
    /// The address that an active mode announces instead of its own, as a bounce attack does.
    public var announced: IPAddress?

    public init(mode: Mode = .passive, dataAfter: Duration = .zero, bytes: Int = 65_536, announced: IPAddress? = nil) {
        self.mode = mode
        self.dataAfter = dataAfter
        self.bytes = bytes
        self.announced = announced
    }

    /// The byte at a place of every file: so that it differs from data of other offsets.
    public static func byte(at offset: Int) -> UInt8 { UInt8(truncatingIfNeeded: offset % 251) }
}
