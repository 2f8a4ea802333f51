import Configuration
import CLinux
import EventLoop
import Glibc
import Synchronization
import Wire

@testable import HostSide

/// An HTTP service whose loop the test turns itself, with one client and one member whose bytes the test sends: what
/// comes together and what does not is the test's choice.
final class HandDriven {
    let loop: EventLoop
    let service: HTTPService
    private let records = Mutexed()
    private let listener: Int32
    private var client: Int32
    let connection: HTTPClientConnection
    private var member: Int32 = -1
    /// What the member has got.
    private(set) var atMember = ""

    private final class Mutexed: Sendable {
        let all = Mutex<[AccessRecord]>([])
    }

    var log: [AccessRecord] { records.all.withLock { $0 } }

    init(_ http: HTTPServiceConfiguration = HTTPServiceConfiguration()) throws {
        loop = try EventLoop()
        listener = cl_tcp_socket(0)
        let listening = listener
        let port = IPAddress.ipv4(.loopback).withSocketAddress(port: 0) { address, length -> UInt16 in
            var length = length
            guard bind(listening, address, length) == 0, listen(listening, 8) == 0,
                getsockname(listening, address, &length) == 0
            else { return 0 }
            return UnsafeRawPointer(address).readUInt16(at: 2)
        }
        let records = records
        service = HTTPService(
            loadBalancer([port], profile: .http, http: http).services[0],
            on: ServiceThread(on: loop, accessLog: nil),
            onAccess: { record in records.all.withLock { $0.append(record) } },
            onTLSFailure: { _ in })
        var pair: [Int32] = [-1, -1]
        _ = cl_socket_pair(&pair)
        for descriptor in pair { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
        client = pair[1]
        connection = HTTPClientConnection(
            service, on: EdgeSocket(pair[0]), from: .ipv4(.loopback), 1, tls: nil)
        try loop.watch(pair[0], for: EdgeSocket.interest, telling: connection)
    }

    deinit {
        loop.end()
        for descriptor in [listener, client, member] where descriptor >= 0 { close(descriptor) }
    }

    func clientSends(_ text: String) {
        var text = text
        text.withUTF8 { _ = write(client, $0.baseAddress, $0.count) }
        turn()
    }

    /// The client vanishes, with bytes that it has not read.
    func clientResets() {
        close(client)
        client = -1
        turn()
    }

    /// What the member sends; not more than its socket takes.
    func answer(_ text: String) {
        var text = text
        text.withUTF8 { _ = write(member, $0.baseAddress, $0.count) }
        turn()
    }

    /// Turns the loop until it is so; for ten seconds at most.
    func until(_ condition: () -> Bool) -> Bool {
        let end = loop.now + Int64(10_000_000_000)
        while loop.now < end {
            turn()
            if condition() { return true }
        }
        return false
    }

    private func turn() {
        for _ in 0..<3 { loop.turn(block: false) }
        if member < 0 {
            member = accept(listener, nil, nil)
            if member >= 0 { _ = fcntl(member, F_SETFL, O_NONBLOCK) }
        }
        guard member >= 0 else { return }
        var bytes = [UInt8](repeating: 0, count: 4096)
        while case let count = read(member, &bytes, bytes.count), count > 0 {
            atMember += String(decoding: bytes[..<count], as: UTF8.self)
        }
    }
}
