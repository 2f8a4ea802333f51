/// The container image that is the root of a node's programs.
public struct ImageConfiguration: Hashable, Sendable, Codable {
    /// Of the OCI layout or archive, absolute.
    public var path: String
    /// Which of the images there; nil where there is only one.
    public var tag: String?
    /// The digest of its configuration, `sha256:…`, on which that of every file in it depends.
    public var id: String
    /// `NAME=value`
    public var environment: [String]
    /// Where programs begin.
    public var workingFolder: String
    /// `name`, `uid`, `name:group` or `uid:gid`; empty for root.
    public var user: String

    public init(
        path: String, tag: String?, id: String, environment: [String], workingFolder: String, user: String
    ) {
        self.path = path
        self.tag = tag
        self.id = id
        self.environment = environment
        self.workingFolder = workingFolder
        self.user = user
    }

    /// Whether its programs are those of the superuser.
    public var isRoots: Bool { ["", "0", "root"].contains(user.prefix { $0 != ":" }) }
}
