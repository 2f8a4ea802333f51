import Appliances
import Configuration
import LabEvents
import NIOCore
import NIOPosix
import TestSupport
import Testing
import Wire

@testable import HostSide

@Suite struct `TCP proxy` {
    private func withProxy<Result>(
        _ configuration: LoadBalancerConfiguration, _ body: (HostSide, UInt16) async throws -> Result
    ) async throws -> Result {
        let host = HostSide(configuration) { _ in }
        defer { host.stop() }
        try host.start()
        return try await body(host, try #require(host.port(of: "web")))
    }

    private func counter(_ name: String, of host: HostSide) -> UInt64? {
        host.counters.first { $0.name == "proxy.web.\(name)" }?.value
    }

    @Test func `bytes are relayed both ways`() async throws {
        let backend = try await TestBackend { Echo() }
        try await withProxy(loadBalancer([backend.port])) { host, port in
            let answer = try await TestClient.exchange(port, sending: "there and back")
            #expect(answer.text == "there and back" && !answer.wasReset)
            #expect(counter("accepted", of: host) == 1 && counter("member-failures", of: host) == 0)
        }
        try await backend.close()
    }

    @Test func `more than any buffer holds is relayed without loss`() async throws {
        let backend = try await TestBackend { Echo() }
        var sent = ByteBuffer()
        for number in 0..<(1 << 19) { sent.writeInteger(UInt64(number)) }
        let answer = try await withProxy(loadBalancer([backend.port])) { _, port in
            try await TestClient.exchange(port, sending: sent)
        }
        #expect(answer.bytes == sent)
        try await backend.close()
    }

    @Test func `a client that has finished sending still gets its answer`() async throws {
        let backend = try await TestBackend { ByteCounter() }
        try await withProxy(loadBalancer([backend.port])) { _, port in
            let answer = try await TestClient.exchange(port, sending: String(repeating: "x", count: 300_000))
            #expect(answer.text == "300000" && !answer.wasReset)
        }
        try await backend.close()
    }

    @Test func `a member that has finished sending ends the client's connection normally`() async throws {
        let backend = try await TestBackend { Greeter("good day") }
        try await withProxy(loadBalancer([backend.port])) { _, port in
            let answer = try await TestClient.exchange(port, sending: "", finishes: false)
            #expect(answer.text == "good day" && !answer.wasReset)
        }
        try await backend.close()
    }

    @Test func `a member that cannot be reached is followed by the next one`() async throws {
        let backend = try await TestBackend { Echo() }
        let closed = try ClosedPort()
        try await withProxy(loadBalancer([closed.number, backend.port])) { host, port in
            for _ in 0..<4 {
                let answer = try await TestClient.exchange(port, sending: "hello")
                #expect(answer.text == "hello")
            }
            // Every second connection tried the closed member first.
            #expect(counter("member-failures", of: host) == 2)
        }
        withExtendedLifetime(closed) {}
        try await backend.close()
    }

    @Test func `when no member can be reached the client is reset`() async throws {
        let ports = [try ClosedPort(), try ClosedPort()]
        try await withProxy(loadBalancer(ports.map(\.number))) { host, port in
            let answer = try await TestClient.exchange(port, sending: "", finishes: false)
            #expect(answer.wasReset && answer.bytes.readableBytes == 0)
            #expect(counter("unserved", of: host) == 1 && counter("member-failures", of: host) == 2)
        }
        withExtendedLifetime(ports) {}
    }

    @Test func `round robin gives every member its turn`() async throws {
        let a = try await TestBackend { Greeter("a") }
        let b = try await TestBackend { Greeter("b") }
        try await withProxy(loadBalancer([a.port, b.port])) { _, port in
            var served: [String] = []
            for _ in 0..<6 { served.append(try await TestClient.exchange(port, sending: "").text) }
            #expect(served.sorted() == ["a", "a", "a", "b", "b", "b"])
        }
        try await a.close()
        try await b.close()
    }

    @Test func `a client's reset reaches the member as a reset`() async throws {
        let (opened, openings) = AsyncStream.makeStream(of: Void.self)
        let (ended, endings) = AsyncStream.makeStream(of: String.self)
        let backend = try await TestBackend {
            Witness(onActive: { _ in openings.yield() }, onEnd: { endings.yield($0) })
        }
        try await withProxy(loadBalancer([backend.port])) { _, port in
            let client = try await ClientBootstrap(group: TestBackend.group)
                .connect(host: "127.0.0.1", port: Int(port)).get()
            for await _ in opened { break }
            try await client.eventLoop.submit { client.closeWithReset() }.get()
            for await end in ended {
                #expect(end == "reset")
                break
            }
        }
        try await backend.close()
    }

    @Test func `a member's reset reaches the client as a reset`() async throws {
        let backend = try await TestBackend { Witness(onActive: { $0.closeWithReset() }, onEnd: { _ in }) }
        try await withProxy(loadBalancer([backend.port])) { _, port in
            let answer = try await TestClient.exchange(port, sending: "", finishes: false)
            #expect(answer.wasReset)
        }
        try await backend.close()
    }

    @Test func `a stopped host side has closed its listeners`() async throws {
        let backend = try await TestBackend { Echo() }
        let port = try await withProxy(loadBalancer([backend.port])) { _, port in port }
        await #expect(throws: (any Error).self) { try await TestClient.exchange(port, sending: "x") }
        try await backend.close()
    }

    @Test func `a port that is taken is explained in words`() async throws {
        let backend = try await TestBackend { Echo() }
        let host = HostSide(loadBalancer([1], port: backend.port)) { _ in }
        defer { host.stop() }
        let error = #expect(throws: HostSideError.self) { try host.start() }
        #expect(
            error?.description
                == "virtual service web cannot listen on 127.0.0.1:\(backend.port): something else listens there "
                + "already; give each virtual service an address or port of its own")
        try await backend.close()
    }

    @Test func `an address that the host side does not have is explained in words`() {
        let host = HostSide(loadBalancer([1], port: 80, address: IPv4Address(192, 0, 2, 77))) { _ in }
        defer { host.stop() }
        let error = #expect(throws: HostSideError.self) { try host.start() }
        #expect(error?.description.contains("the host side does not have that address") == true)
    }
}
