internal import EventLoop
internal import Measurement
internal import SystemPackage
internal import TrafficModel
internal import Wire

/// One control connection of an FTP server, and its data connection. Any user may come, and files have their length in
/// bytes as their name.
/// Source: RFC 959; RFC 2428; what it does not do for strangers: RFC 2577
final class FTPConnection: ServedConnection {
    /// How long a client has to open the data connection.
    private static let dataTimeout: Duration = .seconds(30)
    private static let chunk = 65_536

    /// How the next data connection comes about.
    private enum Agreement {
        case none
        case listening(Socket)
        /// The client has come before it has asked for a file.
        case accepted(Socket)
        case announced(Endpoint)
    }

    private let control: Socket
    private let loop: EventLoop
    private let parting: PartingSockets
    private let onEnd: () -> Void
    private var lines = ControlLines()
    private var output: [UInt8] = []
    private var agreement = Agreement.none
    /// The data connection while a file is sent.
    private var data: Socket?
    private var isDataConnected = false
    /// Length of the file that was asked for; nil where none is.
    private var wanted: Int?
    private var sent = 0
    private var timer: EventLoop.Timer?
    private var isOpen = true
    private var isLeaving = false

    init(
        _ control: Socket, nodeName: String, on loop: EventLoop, parting: PartingSockets, onEnd: @escaping () -> Void
    ) throws(Errno) {
        self.control = control
        self.loop = loop
        self.parting = parting
        self.onEnd = onEnd
        try loop.watch(control.descriptor) { [unowned self] in ready($0) }
        say("220 \(nodeName)")
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        endTransfer()
        loop.unwatch(control.descriptor)
        control.close()
    }

    // MARK: Control

    private func ready(_ readiness: EventLoop.Readiness) {
        if readiness.contains(.writable) { flush() }
        guard isOpen, !readiness.isDisjoint(with: [.readable, .hangUp, .error]) else { return }
        switch control.receiveAll(isStream: true, while: { isOpen && !isLeaving }, take) {
        case .endOfStream: leave()
        case .failed: end()
        case .bytes, .wouldBlock: break
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        lines.consume(bytes) { line in
            if isOpen, !isLeaving { perform(line) }
        }
    }

    private func say(_ line: String) {
        output += Array("\(line)\r\n".utf8)
        flush()
    }

    private func flush() {
        guard isOpen else { return }
        if !output.isEmpty {
            switch output.withUnsafeBytes({ control.send($0) }) {
            case .bytes(let count): output.removeFirst(count)
            case .wouldBlock, .endOfStream: break
            case .failed: return end()
            }
        }
        try? loop.change(control.descriptor, to: output.isEmpty ? .readable : [.readable, .writable])
        if isLeaving, output.isEmpty { part() }
    }

    /// Nothing more is said but what waits already.
    private func leave() {
        isLeaving = true
        if output.isEmpty { part() }
    }

    private func part() {
        guard isOpen else { return }
        isOpen = false
        endTransfer()
        loop.unwatch(control.descriptor)
        parting.part(with: control)
        onEnd()
    }

    private func end() {
        guard isOpen else { return }
        close()
        onEnd()
    }

    // MARK: Commands

    private func perform(_ line: String) {
        let command = line.prefix { $0 != " " }
        let argument = line.dropFirst(command.count + 1)
        switch command.uppercased() {
        case "USER": say("331 Any password will do")
        case "PASS": say("230 Logged in")
        case "SYST": say("215 UNIX Type: L8")
        case "TYPE", "MODE", "STRU", "NOOP": say("200 OK")
        case "SIZE": say(Self.length(argument).map { "213 \($0)" } ?? "550 A file's name is its length")
        case "PASV", "EPSV": listen(isExtended: command.uppercased() == "EPSV")
        case "PORT": announce(DataEndpointText.classic(argument))
        case "EPRT": announce(DataEndpointText.extended(argument))
        case "RETR": retrieve(argument)
        case "QUIT":
            say("221 Goodbye")
            leave()
        default: say("502 Not implemented")
        }
    }

    private static func length(_ name: some StringProtocol) -> Int? {
        Int(name).flatMap { (1...FileTransfer.mostBytes).contains($0) ? $0 : nil }
    }

    private func listen(isExtended: Bool) {
        endTransfer()
        do throws(Errno) {
            guard let own = control.localEndpoint else { throw .socketNotConnected }
            let socket = try Socket(.tcp, control.family)
            try socket.bind(Endpoint(address: own.address, port: 0))
            try socket.listen(backlog: 1)
            guard let endpoint = socket.localEndpoint else { throw .socketNotConnected }
            try loop.watch(socket.descriptor) { [unowned self] _ in accept() }
            agreement = .listening(socket)
            if isExtended {
                say("229 Entering Extended Passive Mode (|||\(endpoint.port)|)")
            } else if let text = DataEndpointText.classic(endpoint) {
                say("227 Entering Passive Mode (\(text))")
            } else {
                endTransfer()
                say("522 Use EPSV or EPRT (2)")
            }
        } catch {
            endTransfer()
            say("425 \(error)")
        }
    }

    /// Nobody is connected to but the client itself, and never a port of a service.
    private func announce(_ endpoint: Endpoint?) {
        endTransfer()
        guard let endpoint else { return say("501 That is no endpoint") }
        guard endpoint.address == control.peerEndpoint?.address, endpoint.port >= 1024 else {
            return say("504 Not to that endpoint")
        }
        agreement = .announced(endpoint)
        say("200 OK")
    }

    private func retrieve(_ name: some StringProtocol) {
        guard let length = Self.length(name) else { return say("550 A file's name is its length") }
        guard wanted == nil else { return say("450 Another file is under way") }
        switch agreement {
        case .none: return say("425 Use PASV or PORT first")
        case .listening, .accepted: break
        case .announced(let endpoint):
            do throws(Errno) {
                agreement = .accepted(try connect(to: endpoint))
            } catch {
                return fail("425 \(error)")
            }
        }
        (wanted, sent) = (length, 0)
        say("150 \(length) bytes follow")
        timer = loop.schedule(after: Self.dataTimeout) { [unowned self] in
            if !isDataConnected { fail("425 No data connection") }
        }
        sendIfPossible()
    }

    // MARK: Data

    /// From the port before the control connection's, which the protocol asks for; where that is taken, from another.
    /// Source: RFC 959, 5.2
    private func connect(to endpoint: Endpoint) throws(Errno) -> Socket {
        guard let own = control.localEndpoint else { throw .socketNotConnected }
        do throws(Errno) {
            return try connect(to: endpoint, from: Endpoint(address: own.address, port: own.port &- 1))
        } catch {
            return try connect(to: endpoint, from: Endpoint(address: own.address, port: 0))
        }
    }

    private func connect(to endpoint: Endpoint, from own: Endpoint) throws(Errno) -> Socket {
        let socket = try Socket(.tcp, endpoint.address.family)
        try socket.allowAddressReuse()
        try socket.bind(own)
        try socket.resetWhenClosed()
        _ = try socket.connect(endpoint)
        return socket
    }

    private func accept() {
        guard case .listening(let listener) = agreement, let socket = try? listener.accept() else { return }
        // Somebody else's connection is no answer to what the client was told.
        guard socket.peerEndpoint?.address == control.peerEndpoint?.address else { return }
        loop.unwatch(listener.descriptor)
        listener.close()
        agreement = .accepted(socket)
        do throws(Errno) { try socket.resetWhenClosed() } catch { return fail("425 \(error)") }
        sendIfPossible()
    }

    private func sendIfPossible() {
        guard wanted != nil, case .accepted(let socket) = agreement else { return }
        agreement = .none
        data = socket
        do throws(Errno) {
            try loop.watch(socket.descriptor, for: .writable) { [unowned self] in dataReady($0) }
        } catch {
            fail("425 \(error)")
        }
    }

    private func dataReady(_ readiness: EventLoop.Readiness) {
        guard let data, let wanted else { return }
        if !isDataConnected {
            if let error = data.takeError() { return fail("425 \(error)") }
            guard readiness.contains(.writable) else { return }
            isDataConnected = true
        }
        while sent < wanted {
            let count = min(Self.chunk, wanted - sent)
            let outcome = withUnsafeTemporaryAllocation(byteCount: count, alignment: 16) { buffer in
                for index in 0..<count { buffer[index] = FileTransfer.byte(at: sent + index) }
                return data.send(UnsafeRawBufferPointer(buffer))
            }
            switch outcome {
            case .bytes(let written): sent += written
            case .wouldBlock, .endOfStream: return
            case .failed(let error): return fail("426 \(error)")
            }
        }
        loop.unwatch(data.descriptor)
        parting.part(with: data)
        self.data = nil
        endTransfer()
        say("226 Transfer complete")
    }

    private func fail(_ reply: String) {
        endTransfer()
        say(reply)
    }

    /// Lets go of everything but the control connection.
    private func endTransfer() {
        if let timer { loop.cancel(timer) }
        timer = nil
        if let data {
            loop.unwatch(data.descriptor)
            data.close()
        }
        switch agreement {
        case .listening(let socket):
            loop.unwatch(socket.descriptor)
            socket.close()
        case .accepted(let socket): socket.close()
        case .none, .announced: break
        }
        (data, wanted, agreement, isDataConnected) = (nil, nil, .none, false)
    }
}
