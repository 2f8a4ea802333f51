import Configuration
import LabFile
import Measurement
import Testing
import Wire

@testable import Topology

@Suite struct `An HTTP service of a lab` {
    private static let whole = """
        profile: http
                pool: [backend-1:8080]
                snat-pool: [198.51.100.11, 198.51.100.12]
                snat-ports: 4000-4003
                multiplexing: { idle-time: 2s, most-requests: 7 }
                http:
                  x-forwarded-for: off
                  request-headers: { set: { X-Balancer: lb }, remove: [Cookie] }
                  response-headers: { remove: [Server] }
                  limits: { header-size: 1024, header-count: 20, body-size: 4096, connections: 50 }
                  timeouts: { client-header: 1s, server-connect: 31s }
        """

    private func lab(_ service: String, traffic: String = "http-request, path: /x") -> String {
        SmallLab.replacing("profile: tcp-fast-path\n        pool: [backend-1:8080]", service)
            .replacing("tcp-stream", with: traffic)
    }

    private func read(_ text: String) throws -> Variant {
        try #require(try Lab(parsing: text, path: "lab.yaml").variants.first)
    }

    private func messages(_ text: String) -> [String] {
        do {
            _ = try Lab(parsing: text, path: "lab.yaml")
            return []
        } catch {
            return error.errors.map { "\($0)" }
        }
    }

    private func service(_ variant: Variant) throws -> VirtualServiceConfiguration {
        guard let balancer = variant.node(named: "lb")?.role.loadBalancer else { throw CancellationError() }
        return try #require(balancer.services.first)
    }

    @Test func `is read with everything that it may say`() throws {
        let http = try #require(try service(read(lab(Self.whole))).http)
        #expect(http.sourceAddresses == [.ipv4(IPv4Address(198, 51, 100, 11)), .ipv4(IPv4Address(198, 51, 100, 12))])
        #expect(http.sourcePorts == 4000...4003 && http.forwardedFor == .off)
        #expect(http.multiplexing == ConnectionMultiplexing(idleTime: .seconds(2), mostRequests: 7))
        #expect(
            http.requestHeaders == HeaderRewriting(set: [.init(name: "X-Balancer", value: "lb")], remove: ["Cookie"]))
        #expect(http.responseHeaders.remove == ["Server"])
        #expect(http.limits == HTTPLimits(headerSize: 1024, headerCount: 20, bodySize: 4096, connections: 50))
        #expect(http.timeouts.clientHeader == .seconds(1) && http.timeouts.serverConnect == .seconds(31))
        #expect(http.timeouts.serverResponse == HTTPTimeouts().serverResponse)
    }

    @Test func `without a word more has defaults, auto-map and no multiplexing`() throws {
        let variant = try read(lab("profile: http\n        pool: [backend-1:8080]"))
        #expect(try service(variant).http == HTTPServiceConfiguration())
        let vendor = try read(
            lab("profile: http\n        pool: [backend-1:8080]").replacing(
                "name: small", with: "name: small\ntimers: vendor"))
        #expect(try service(vendor).http?.timeouts == .vendor)
    }

    @Test func `lets its members serve HTTP, and takes requests`() throws {
        let variant = try read(lab(Self.whole))
        guard let host = variant.node(named: "backend-1")?.role.host else { throw CancellationError() }
        #expect(host.servers == [ServerProgram(kind: .http, port: 8080)])
        #expect(
            variant.traffic.first?.kind == .httpRequest
                && variant.traffic.first?.options(of: HTTPRequestTraffic.self)?.path == "/x")
    }

    @Test func `gives the host side its address and those of its SNAT pool`() throws {
        let steps = Plan(for: try read(lab(Self.whole))).steps.map(\.description)
        for address in ["198.51.100.100", "198.51.100.11", "198.51.100.12"] {
            #expect(steps.contains { $0.hasPrefix("lb: address \(address)/32 on inside") }, "\(address)")
        }
    }

    @Test(arguments: [
        ("snat: off", "'snat' is off"), ("snat-pool: [203.0.113.1]", "is on none of its networks"),
        ("snat-pool: [198.51.100.2]", "198.51.100.2"), ("snat-pool: [x]", "an address of 'snat-pool' is 'x'"),
        ("snat-ports: 5-4", "'snat-ports' is '5-4'"), ("snat-ports: 0-4", "'snat-ports'"),
        ("http: { limit: 1 }", "unknown key 'limit'"),
        ("http: { request-headers: { remove: [Content-Length] } }", "says where a message ends"),
        ("http: { request-headers: { remove: [Host] } }", "'host' cannot be removed"),
        ("http: { response-headers: { set: { 'a b': x } } }", "is no name of a response header"),
        ("http: { timeouts: { server-connect: never } }", "server-connect"),
    ])
    func `is refused where it cannot work`(line: String, part: String) {
        let found = messages(lab("profile: http\n        pool: [backend-1:8080]\n        \(line)"))
        #expect(found.count == 1 && found.first?.contains(part) == true, "\(found)")
    }

    @Test func `keeps its keys and its traffic to itself`() {
        let fast = messages(
            SmallLab.replacing("pool: [backend-1:8080]", "pool: [backend-1:8080]\n        multiplexing: on"))
        #expect(
            fast.count == 1 && fast.first?.contains("'multiplexing' belongs to the profile http") == true, "\(fast)")
        let echo = messages(lab("profile: http\n        pool: [backend-1:8080]", traffic: "tcp-stream"))
        #expect(echo.count == 1 && echo.first?.contains("speaks no HTTP") == true, "\(echo)")
        let path = messages(SmallLab.replacing("tcp-stream", "tcp-stream, path: /x"))
        #expect(path.count == 1 && path.first?.contains("'path' belongs to kind http-request") == true, "\(path)")
    }

    @Test func `may have a member that is slow, or answers badly`() throws {
        let text = lab("profile: http\n        pool: [backend-1:8080]").replacing(
            "interfaces: { servers: }\ntraffic",
            with: """
                interfaces: { servers: }
                    services: { http: [80, { port: 8080, delay: 50ms, answer: close-early, keep-alive: off }] }
                traffic
                """)
        guard let host = try read(text).node(named: "backend-1")?.role.host else { throw CancellationError() }
        #expect(
            host.servers == [
                ServerProgram(kind: .http, port: 80),
                ServerProgram(
                    kind: .http, port: 8080, delay: .milliseconds(50), answer: .closeEarly, keepsAlive: false),
            ])
    }

    @Test func `TLS is the lab's certificate or two files beside the lab file, and traffic follows`() throws {
        let on = try read(lab("profile: http\n        pool: [backend-1:8080]\n        tls: on"))
        #expect(try service(on).http?.tls == .lab)
        #expect(on.traffic.first?.options(of: HTTPRequestTraffic.self)?.usesTLS == true)
        let plain = try read(lab("profile: http\n        pool: [backend-1:8080]"))
        #expect(
            try service(plain).http?.tls == nil
                && plain.traffic.first?.options(of: HTTPRequestTraffic.self)?.usesTLS == false)
        let off = try read(
            lab("profile: http\n        pool: [backend-1:8080]\n        tls: on", traffic: "http-request, tls: off"))
        #expect(off.traffic.first?.options(of: HTTPRequestTraffic.self)?.usesTLS == false)

        let text = lab(
            "profile: http\n        pool: [backend-1:8080]\n        tls: { certificate: lb.pem, key: /k/lb.key }")
        let files = try Lab(LabDocument(LabSource(path: "lab.yaml", text: text, folder: "/labs/one")))
        #expect(
            files.certificates.map(\.certificate) == ["/labs/one/lb.pem"]
                && files.certificates.map(\.key) == ["/k/lb.key"])
        // The resolved file names them from anywhere.
        let resolved = try Lab(parsing: files.variants[0].resolvedYAML, path: "elsewhere/lab.yaml")
        #expect(resolved.certificates.map(\.certificate) == ["/labs/one/lb.pem"])
    }

    @Test func `a mistake about TLS is told with what is allowed`() {
        #expect(
            messages(lab("profile: http\n        pool: [backend-1:8080]\n        tls: yep")).first?.contains(
                "'tls' of a virtual service is 'yep'") == true)
        #expect(
            messages(lab("profile: http\n        pool: [backend-1:8080]\n        tls: { certificate: a.pem }")).first?
                .contains("needs the key 'key'") == true)
        #expect(
            messages(lab("profile: tcp-proxy\n        pool: [backend-1:8080]\n        tls: on", traffic: "tcp-stream"))
                .first?
                .contains("'tls' belongs to the profile http") == true)
        #expect(
            messages(SmallLab.replacing("tcp-stream", "tcp-stream, tls: on")).first?
                .contains("'tls' belongs to kind http-request") == true)
    }
}
