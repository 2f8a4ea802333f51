public import EventLoop
public import Measurement
internal import SystemPackage
public import Wire

/// A server of a lab: listens from the moment it is made until it is closed.
public final class TrafficServer {
    private enum Running {
        case tcpEcho(TCPEchoServer)
        case udpEcho(UDPEchoServer)
        case http(HTTPServer)
        case ftp(FTPServer)
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
                let server = try TCPEchoServer(at: endpoint, on: loop)
                running = .tcpEcho(server)
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
                let server = try FTPServer(at: endpoint, nodeName: nodeName, on: loop)
                running = .ftp(server)
                port = server.endpoint?.port ?? program.port
            }
        } catch {
            throw TrafficServerError(program: program, address: address, nodeName: nodeName, cause: error)
        }
    }

    /// Stops listening and closes the echo servers' connections.
    public func close() {
        switch running {
        case .tcpEcho(let server): server.close()
        case .udpEcho(let server): server.close()
        case .http(let server): server.close()
        case .ftp(let server): server.close()
        }
    }
}
