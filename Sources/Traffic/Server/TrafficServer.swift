public import EventLoop
public import Measurement
internal import SystemPackage
internal import TrafficModel
public import Wire

/// A server of a lab: listens from the moment it is made until it is closed.
public final class TrafficServer {
    /// For each at most one buffer of bytes that its client does not take yet, while nothing more is read from it.
    private static let mostEchoConnections = 16_384
    /// Control connections, with one data connection for each.
    private static let mostFTPConnections = 4096

    private enum Running {
        case connections(ConnectionServer)
        case udpEcho(UDPEchoServer)
        case http(HTTPServer)
    }

    public let program: ServerProgram
    /// The port on which it listens; differs from the program's where that is 0 (any free one).
    public let port: UInt16
    private let running: Running

    /// - Parameters:
    ///   - nodeName: the body of every HTTP answer
    ///   - address: where to listen; all IPv4 addresses unless told otherwise; `::` is all addresses of both families
    ///   - loop: runs the echo and FTP servers; `http` has a SwiftNIO thread of its own, made with the first such server
    /// - Throws: why the server cannot listen
    public init(
        _ program: ServerProgram, nodeName: String, at address: IPAddress = .ipv4(.any), on loop: EventLoop
    ) throws(TrafficServerError) {
        self.program = program
        let endpoint = Endpoint(address: address, port: program.port)
        do {
            switch program.kind {
            case .tcpEcho:
                let server = try ConnectionServer(at: endpoint, mostConnections: Self.mostEchoConnections, on: loop) {
                    (socket, parting, onEnd) throws(Errno) in
                    try EchoConnection(socket, on: loop, parting: parting, onEnd: onEnd)
                }
                running = .connections(server)
                port = server.endpoint?.port ?? program.port
            case .udpEcho:
                let server = try UDPEchoServer(at: endpoint, on: loop)
                running = .udpEcho(server)
                port = server.endpoint?.port ?? program.port
            case .http:
                let server = try HTTPServer(program, at: endpoint, nodeName: nodeName)
                running = .http(server)
                port = server.port ?? program.port
            case .ftp:
                let server = try ConnectionServer(at: endpoint, mostConnections: Self.mostFTPConnections, on: loop) {
                    (socket, parting, onEnd) throws(Errno) in
                    try FTPConnection(socket, nodeName: nodeName, on: loop, parting: parting, onEnd: onEnd)
                }
                running = .connections(server)
                port = server.endpoint?.port ?? program.port
            }
        } catch {
            throw TrafficServerError(program: program, address: address, nodeName: nodeName, cause: error)
        }
    }

    /// Stops listening and closes the echo servers' connections.
    public func close() {
        switch running {
        case .connections(let server): server.close()
        case .udpEcho(let server): server.close()
        case .http(let server): server.close()
        }
    }
}
