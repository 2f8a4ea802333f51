public import Wire

/// What a backend or client listens to and answers.
public struct ServerProgram: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// Returns every byte of a TCP connection.
        case tcpEcho = "tcp-echo"
        /// Returns every datagram.
        case udpEcho = "udp-echo"
        /// HTTP/1.1: 200 with the node's name, any path.
        case http
        /// FTP: any user, files whose name is their length in bytes.
        case ftp

        public var transport: IPProtocol { self == .udpEcho ? .udp : .tcp }
    }

    /// What an HTTP server does with a request.
    public enum Answer: String, Hashable, Sendable, Codable, CaseIterable {
        /// 200 with the node's name.
        case page
        /// Closes the connection instead of answering.
        case closeEarly = "close-early"
        /// Answers with bytes that are no HTTP, and closes.
        case garbage
        /// Answers nothing and keeps the connection.
        case silence
    }

    public var kind: Kind
    public var port: UInt16
    /// The delay of an HTTP server before it answers.
    public var delay: Duration
    /// Of an HTTP server.
    public var answer: Answer
    /// Whether an HTTP server keeps a connection for further requests.
    public var keepsAlive: Bool

    public init(kind: Kind, port: UInt16, delay: Duration = .zero, answer: Answer = .page, keepsAlive: Bool = true) {
        self.kind = kind
        self.port = port
        self.delay = delay
        self.answer = answer
        self.keepsAlive = keepsAlive
    }
}
