import Glibc
import HTTPExchange
import NIOCore
import TestSupport
import Testing
import Wire

@testable import HostSide

@Suite struct `A connection to a member on its way` {
    private static let head = Array("GET / HTTP/1.1\r\nHost: lab\r\n\r\n".utf8)

    private func connect(to port: UInt16) throws -> (descriptor: Int32, sent: Int) {
        let source = SourceEndpoint(address: .ipv4(.loopback), port: 0)
        let descriptor = try ConnectingSocket.open(from: source, to: .ipv4(.loopback), port: port)
        return (
            descriptor,
            try Self.head.withUnsafeBytes { (head) throws in try ConnectingSocket.send(head, on: descriptor) }
        )
    }

    /// Whether its kernel acknowledges at once what comes: tcp(7), TCP_QUICKACK.
    private func acknowledgesAtOnce(_ descriptor: Int32) -> Bool {
        var value: Int32 = -1
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_QUICKACK, &value, &length)
        return value == 1
    }

    // A member whose answer is acknowledged late sends its FIN twice, and each late FIN may meet the port's next use.
    @Test func `sends the head to a member that accepts at once, and acknowledges its answer at once`() async throws {
        let member = try await TestBackend { Witness(onEnd: { _ in }) }
        let (descriptor, sent) = try connect(to: member.port)
        #expect(sent == Self.head.count)
        #expect(acknowledgesAtOnce(descriptor))
        close(descriptor)
        try await member.close()
    }

    @Test func `has sent nothing to a member that is silent, and will acknowledge its answer at once`() throws {
        let deaf = try DeafListener()
        defer { deaf.close() }
        let (descriptor, sent) = try connect(to: deaf.port)
        #expect(sent == 0)
        #expect(acknowledgesAtOnce(descriptor))
        close(descriptor)
    }

    @Test func `tells that a member has refused, which the kernel tells only once`() throws {
        let closed = try ClosedPort()
        defer { withExtendedLifetime(closed) {} }
        let failure = #expect(throws: ConnectingSocket.Failure.self) { try connect(to: closed.number) }
        #expect(failure?.code == ECONNREFUSED)
    }
}
