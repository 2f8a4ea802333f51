import Configuration
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport
import Testing

@testable import HostSide

@Suite struct `HTTP service with TLS` {
    /// The time for a head is that for the handshake, too: not short, for the machine may be busy.
    private static let http = HTTPServiceConfiguration(
        timeouts: HTTPTimeouts(clientHeader: .seconds(5), keepAlive: .milliseconds(300)), tls: .lab)

    /// Sends a request through TLS, and returns what came until the service closed.
    private func ask(
        _ port: UInt16, _ text: String, version: TLSVersion = .tlsv13
    ) async throws -> String {
        var configuration = TLSConfiguration.makeClientConfiguration()
        (configuration.minimumTLSVersion, configuration.maximumTLSVersion) = (version, version)
        configuration.trustRoots = .certificates(
            try NIOSSLCertificate.fromPEMBytes(Array(LabCertificate.certificate.utf8)))
        configuration.certificateVerification = .fullVerification
        let context = try NIOSSLContext(configuration: configuration)
        let answer = TestBackend.group.next().makePromise(of: String.self)
        ClientBootstrap(group: TestBackend.group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let tls = try NIOSSLClientHandler(context: context, serverHostname: "lab.failoverlab.test")
                    try channel.pipeline.syncOperations.addHandlers([tls, TextCollector(answer)])
                }
            }
            .connect(host: "127.0.0.1", port: Int(port))
            .whenComplete { result in
                // Here and not after an `await`: other tests may have the processors for longer than the service
                // has patience.
                switch result {
                case .success(let channel): channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
                case .failure(let error): answer.fail(error)
                }
            }
        return try await answer.futureResult.get()
    }

    @Test(arguments: [TLSVersion.tlsv12, .tlsv13])
    func `a request inside TLS is answered, and the log says which version`(version: TLSVersion) async throws {
        let member = try await HTTPMember()
        try await HTTPBench.run([member.port], Self.http) { bench in
            let answer = try await ask(
                bench.port,
                "POST /a HTTP/1.1\r\nHost: lab\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n",
                version: version)
            #expect(
                answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.contains("POST /a #1 abc")
                    && answer.contains("GET /b #2"))
            #expect(await bench.log.records(2).map(\.tls) == [version.name, version.name])
            #expect(bench.counter("tls-handshakes") == 1)
        }
        try await member.close()
    }

    @Test func `a large body passes TLS both ways without loss`() async throws {
        let member = try await TestBackend { LengthEcho() }
        let body = String(repeating: "0123456789abcdef", count: 60_000)
        try await HTTPBench.run([member.port], Self.http) { bench in
            let answer = try await ask(
                bench.port,
                "POST / HTTP/1.1\r\nHost: lab\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
            )
            #expect(answer.afterHead == body)
        }
        try await member.close()
    }

    @Test func `half a request inside TLS is 408, and silence after the handshake is the end`() async throws {
        let member = try await HTTPMember()
        try await HTTPBench.run([member.port], Self.http) { bench in
            let half = try await ask(bench.port, "GET / HTTP/1.1\r\nHo")
            #expect(half.status == 408, "\(half)")
            let idle = try await ask(bench.port, "GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
            #expect(idle.status == 200 && !idle.contains("408"))
        }
        try await member.close()
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: lab\r\n\r\n", "http-request"),
        ("SSH-2.0-OpenSSH\r\n", "wrong-version-number"),
        // Silence, and half a record.
        ("", "handshake-timeout"), ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", "handshake-timeout"),
    ])
    func `what is no TLS ends with a reason that is counted, and reaches no member`(text: String, reason: String)
        async throws
    {
        let member = try await HTTPMember()
        try await HTTPBench.run([member.port], Self.http) { bench in
            _ = try await TestClient.exchange(bench.port, sending: text, finishes: false)
            #expect(bench.failures.all.map(\.reason) == [reason])
            #expect(bench.counter("tls-failed.\(reason)") == 1 && bench.counter("requests") == 0)
            #expect(member.requests.isEmpty && member.errors == 0)
            // Others are served as ever.
            let answer = try await ask(bench.port, "GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")
            #expect(answer.status == 200)
        }
        try await member.close()
    }

    @Test func `a client that closes within the handshake is counted`() async throws {
        try await HTTPBench.run([1], Self.http) { bench in
            _ = try await TestClient.exchange(bench.port, sending: "\u{16}\u{3}\u{1}", finishes: true)
            #expect(bench.failures.all.map(\.reason) == ["closed-in-handshake"])
        }
    }

    @Test func `an answer that breaks off is a reset, also inside TLS`() async throws {
        let member = try await TestBackend { Played("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", .closes) }
        try await HTTPBench.run([member.port], Self.http) { bench in
            let answer = try? await ask(bench.port, "GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
            #expect(answer == nil)
            #expect(await bench.log.records(1).first?.reason == "member-closed-early")
        }
        try await member.close()
    }

    // MARK: Files

    @Test func `certificate and key in files serve, others are refused with the file's name`() async throws {
        let folder = try TemporaryFolder()
        func file(_ name: String, _ text: String) throws -> String {
            try text.write(toFile: "\(folder.path)/\(name)", atomically: true, encoding: .utf8)
            return "\(folder.path)/\(name)"
        }
        let certificate = try file("lb.pem", LabCertificate.certificate)
        let key = try file("lb.key", LabCertificate.key)
        #expect(CertificateProblem(certificate: certificate, key: key) == nil)
        let nothing = folder.path + "/nothing.pem"
        let missing = CertificateProblem(certificate: nothing, key: key)
        #expect(missing?.text == "'\(nothing)' cannot be read: there is no such file" && missing?.isOfKey == false)
        #expect(CertificateProblem(certificate: certificate, key: nothing)?.isOfKey == true)
        #expect(CertificateProblem(certificate: key, key: key)?.text == "'\(key)' holds no certificate in PEM")
        let noKey = CertificateProblem(certificate: certificate, key: certificate)
        #expect(noKey?.isOfKey == true && noKey?.text.contains("holds no private key") == true)
        // Another key on the same curve, which belongs to no certificate.
        let other = CertificateProblem(certificate: certificate, key: try file("other.key", Self.otherKey))
        #expect(other?.isOfKey == true && other?.text.contains("is not the one of the certificate") == true)

        // What would wait for a writer, or has no end, or fills memory.
        let fifo = folder.path + "/fifo.pem"
        #expect(mkfifo(fifo, 0o600) == 0)
        for (path, reason) in [
            (fifo, "is not a regular file"), ("/dev/zero", "is not a regular file"),
            (folder.path, "is not a regular file"),
            (
                try file("large.pem", LabCertificate.certificate + String(repeating: "\n", count: 1 << 20)),
                "is larger than 1 MiB"
            ),
        ] {
            for problem in [
                CertificateProblem(certificate: path, key: key),
                CertificateProblem(certificate: certificate, key: path),
            ] { #expect(problem?.text.hasPrefix("'\(path)' \(reason)") == true, "\(String(describing: problem))") }
        }

        let member = try await HTTPMember()
        var http = Self.http
        http.tls = .files(certificate: certificate, key: key)
        try await HTTPBench.run([member.port], http) { bench in
            let answer = try await ask(bench.port, "GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")
            #expect(answer.status == 200)
        }
        http.tls = .files(certificate: nothing, key: key)
        await #expect(throws: HostSideError.self) { try await HTTPBench.run([member.port], http) { _ in } }
        try await member.close()
    }

    /// Made for this test alone.
    private static let otherKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgkX0b+9hLL4Vm43oF
        bn1xcXw/OzzqugOUHwDOpGVPuAKhRANCAAQYnokWiaVTul9vbTTe2xCUzs5xNRWe
        6idc9OXOpQGOe054247MSXepxTaWDOvpQlF4swyv/ff/pQlRiVPyDIa/
        -----END PRIVATE KEY-----
        """
}

/// Collects text until the other side closes; fails where the end is not TLS's own.
private final class TextCollector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let answer: EventLoopPromise<String>
    private var bytes = ByteBuffer()

    init(_ answer: EventLoopPromise<String>) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        bytes.writeBuffer(&buffer)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { answer.succeed(String(buffer: bytes)) }
}
