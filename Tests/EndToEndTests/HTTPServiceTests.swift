import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The HTTP service of a balancer in a running lab.
    @Suite struct HTTPServices {
        /// Members that answer, close early, talk nonsense, say nothing, and one with nobody at the port.
        private static let lab = """
            schema: 1
            name: http
            networks: { outside: 192.0.2.0/24, servers: 198.51.100.0/24 }
            x-service: &service
              profile: http
              http:
                request-headers: { set: { X-Balancer: lb }, remove: [Cookie] }
                limits: { header-size: 1024, header-count: 20, body-size: 4096 }
                timeouts: { client-header: 400ms, client-body: 400ms, server-response: 400ms }
            nodes:
              client: { role: client, interfaces: { outside: 192.0.2.10 } }
              lb:
                role: load-balancer
                interfaces: { outside: 192.0.2.1, servers: 198.51.100.1 }
                virtual-services:
                  web: { <<: *service, listen: "192.0.2.100:80", pool: ["good:80"] }
                  many: { <<: *service, listen: "192.0.2.100:81", pool: ["good:80"], multiplexing: on }
                  closing: { <<: *service, listen: "192.0.2.100:82", pool: ["closing:80"] }
                  nonsense: { <<: *service, listen: "192.0.2.100:83", pool: ["nonsense:80"] }
                  silent: { <<: *service, listen: "192.0.2.100:84", pool: ["silent:80"] }
                  nobody: { <<: *service, listen: "192.0.2.100:85", pool: ["good:81"] }
                  secure: { <<: *service, listen: "192.0.2.100:443", pool: ["good:80"], tls: on }
              good: { role: backend, interfaces: { servers: 198.51.100.10 }, services: { http: 80 } }
              closing: { role: backend, interfaces: { servers: 198.51.100.11 }, services: { http: { port: 80, answer: close-early } } }
              nonsense: { role: backend, interfaces: { servers: 198.51.100.12 }, services: { http: { port: 80, answer: garbage } } }
              silent: { role: backend, interfaces: { servers: 198.51.100.13 }, services: { http: { port: 80, answer: silence } } }
            traffic:
              secure: { from: client, to: lb/secure, kind: http-request, every: 20ms }
              plain: { from: client, to: lb/secure, kind: http-request, every: 50ms, tls: off }
            scenario:
              - start: [secure, plain]
              - wait: 300ms
            expect:
              - secure: { succeeds: true }
              - plain: reset
              - event: { name: lb.tls-failed, count: ">= 1", after: plain.start }

            """

        /// What a client sends to a port, the statuses of the answers, and the reason that the access log gives.
        private struct Exchange {
            var port = 80
            var bytes: String
            var statuses: [Int]
            var reason: String?
        }

        private static func bad(_ fields: String, _ status: Int, _ reason: String) -> Exchange {
            Exchange(bytes: #"GET /bad HTTP/1.1\r\nHost: lab\r\n"# + fields, statuses: [status], reason: reason)
        }

        private static let exchanges: [Exchange] = [
            bad(#"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"#, 400, "several-lengths"),
            bad(#"Content-Length: 4, 4\r\n\r\nabcd"#, 400, "several-lengths"),
            bad(
                #"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"#, 400,
                "length-and-transfer-encoding"),
            bad(#"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"#, 501, "unsupported-transfer-encoding"),
            bad(#"X: 1\nY: 2\r\n\r\n"#, 400, "bare-line-ending"),
            bad(#"X: a\rb\r\n\r\n"#, 400, "bare-line-ending"),
            bad(#"X: 1\r\n folded\r\n\r\n"#, 400, "folded-field"),
            bad(#"X : 1\r\n\r\n"#, 400, "malformed-field"),
            bad(#"X: "# + String(repeating: "x", count: 1100) + #"\r\n\r\n"#, 431, "head-too-large"),
            bad(#"Content-Length: 5000\r\n\r\n"#, 413, "body-too-large"),
            // Its head may come before the chunk that is wrong, and is passed on then.
            Exchange(
                bytes:
                    #"POST /chunk HTTP/1.1\r\nHost: lab\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcdefg\r\n0\r\n\r\n"#,
                statuses: [400], reason: "malformed-chunk"),
            // Half a request and silence: of its head, of its body.
            bad(#"X-Ha"#, 408, "client-header-timeout"),
            Exchange(
                bytes: #"POST /half HTTP/1.1\r\nHost: lab\r\nContent-Length: 5\r\n\r\nab"#, statuses: [408],
                reason: "client-body-timeout"),
            // Members.
            Exchange(
                port: 82, bytes: #"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"#, statuses: [502],
                reason: "member-closed-early"),
            Exchange(
                port: 83, bytes: #"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"#, statuses: [502],
                reason: "member-garbage"),
            Exchange(
                port: 84, bytes: #"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"#, statuses: [504],
                reason: "response-timeout"),
            Exchange(
                port: 85, bytes: #"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"#, statuses: [502],
                reason: "member-refused"),
        ]

        /// Three requests at once: with a cookie, with a body in chunks, and the last one.
        private static func pipeline(_ port: Int) -> Exchange {
            Exchange(
                port: port,
                bytes: #"GET /1 HTTP/1.1\r\nHost: lab\r\nCookie: secret\r\n\r\n"#
                    + #"POST /2 HTTP/1.1\r\nHost: lab\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"#
                    + #"GET /3 HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"#,
                statuses: [200, 200, 200])
        }

        private func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `bad input is answered as the RFCs require, counted by its reason, and never passed on`() throws {
            let folder = try TemporaryFolder()
            let path = folder.path + "/lab.yaml"
            try Self.lab.write(toFile: path, atomically: true, encoding: .utf8)
            let up = try Lab.failoverlab(["up", path], in: folder)
            #expect(up.status == 0, "\(up.errors)")
            let id = up.output.trimmingCharacters(in: .whitespacesAndNewlines)
            defer { _ = try? Lab.failoverlab(["down", id], in: folder) }

            // All at once: those that wait for a timeout wait together. Each in one write; the shell would make one a line.
            let exchanges = Self.exchanges + [Self.pipeline(80), Self.pipeline(81)]
            let script = exchanges.enumerated().map { index, exchange in
                "( exec 3<>/dev/tcp/192.0.2.100/\(exchange.port); printf '\(exchange.bytes)' | dd bs=64k iflag=fullblock status=none >&3; cat <&3 >\(folder.path)/\(index) ) 2>/dev/null &"
            }
            let asked = try Lab.failoverlab(
                ["exec", "--lab", id, "client", "--", "bash", "-c", script.joined(separator: "\n") + "\nwait"],
                in: folder)
            #expect(asked.status == 0, "\(asked.errors)")
            for (index, exchange) in exchanges.enumerated() {
                let answer = text("\(folder.path)/\(index)")
                let statuses = answer.components(separatedBy: "HTTP/1.1 ").dropFirst().map { Int($0.prefix(3)) }
                #expect(statuses == exchange.statuses, "\(exchange.bytes): \(answer)")
            }
            let down = try Lab.failoverlab(["down", id], in: folder)
            #expect(down.status == 0, "\(down.errors)")

            let run = folder.path + "/runs/http/latest/default"
            let log = text(run + "/logs/lb.access.jsonl").split(separator: "\n").map(String.init)
            #expect(log.count == exchanges.reduce(0) { $0 + $1.statuses.count })
            for exchange in exchanges {
                guard let reason = exchange.reason, let status = exchange.statuses.first else { continue }
                #expect(
                    log.contains { $0.contains("\"reason\":\"\(reason)\"") && $0.contains("\"status\":\(status)") },
                    "\(reason)")
            }
            // Nothing of a request that was refused is on the members' wire, and what is there was rewritten.
            let wire = try Data(contentsOf: URL(fileURLWithPath: run + "/captures/good.servers.pcap"))
            func count(_ text: String) -> Int {
                var (count, start) = (0, wire.startIndex)
                while let found = wire.range(of: Data(text.utf8), in: start..<wire.endIndex) {
                    (count, start) = (count + 1, found.upperBound)
                }
                return count
            }
            #expect(count("/bad") == 0 && count("abcde") == 0 && count("secret") == 0)
            #expect(
                count("GET /1 HTTP/1.1\r\n") == 2 && count("POST /2 HTTP/1.1\r\n") == 2
                    && count("3\r\nabc\r\n0\r\n\r\n") == 2)
            // Of the six requests, of the one whose body stopped, and perhaps of the one with a wrong chunk.
            let passed = 7 + count("POST /chunk")
            #expect(passed <= 8)
            #expect(count("X-Balancer: lb\r\n") == passed && count("X-Forwarded-For: 192.0.2.10\r\n") == passed)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `requests inside TLS are served, those without fail, and the log distinguishes them`() throws {
            let folder = try TemporaryFolder()
            let path = folder.path + "/lab.yaml"
            try Self.lab.write(toFile: path, atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", path], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            let run = folder.path + "/runs/http/latest/default"
            let log = text(run + "/logs/lb.access.jsonl").split(separator: "\n")
            #expect(!log.isEmpty && log.allSatisfy { $0.hasSuffix("\"tls\":\"TLSv1.3\"}") })
            #expect(
                text(run + "/logs/lb.log").contains("TLS with the client failed: http-request, client: 192.0.2.10:"))
            #expect(text(run + "/counters.json").contains("http.secure.tls-failed.http-request"))
            // A saved run is judged again without the files of a certificate.
            let check = try Lab.failoverlab(["check", run], in: folder)
            #expect(check.status == 0, "\(check.output)\n\(check.errors)")
        }

        @Test func `a certificate's files that are missing or do not fit are named with their line`() throws {
            let folder = try TemporaryFolder()
            let path = folder.path + "/lab.yaml"
            let text = Self.lab.replacingOccurrences(of: "tls: on", with: "tls: { certificate: lb.pem, key: lb.key }")
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let missing = try Lab.failoverlab(["validate", path], in: folder)
            #expect(missing.status == 2)
            let line = try #require(text.components(separatedBy: "\n").firstIndex { $0.contains("lb.pem") }) + 1
            #expect(missing.errors.contains("lab.yaml:\(line):"), "\(missing.errors)")
            #expect(missing.errors.contains("/lb.pem' cannot be read: there is no such file"), "\(missing.errors)")
            try "no certificate".write(toFile: folder.path + "/lb.pem", atomically: true, encoding: .utf8)
            let wrong = try Lab.failoverlab(["run", path], in: folder)
            #expect(wrong.status == 2 && wrong.errors.contains("holds no certificate in PEM"), "\(wrong.errors)")
        }
    }
}
