/// One interface that is to be captured, and the file that its frames go to.
public struct CapturePoint: Hashable, Sendable {
    /// A node or a network (its switch).
    public var node: String
    public var interface: String
    /// Descriptor of the network namespace in which the interface is; it stays the caller's.
    public var namespace: Int32
    /// Where the capture file is created; an existing file is replaced.
    public var path: String
    /// The value of `CaptureSummary.path`: the path relative to the variant's folder.
    public var reportedPath: String

    public init(node: String, interface: String, namespace: Int32, path: String, reportedPath: String? = nil) {
        self.node = node
        self.interface = interface
        self.namespace = namespace
        self.path = path
        self.reportedPath = reportedPath ?? path
    }
}
