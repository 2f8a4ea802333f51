import LabFile
import Measurement
import Testing
import Topology

@Suite struct `Clients in a lab file` {
    private static func text(_ program: String, expect: String = "app: survives") -> String {
        """
        schema: 1
        name: clients
        networks: { net: 192.0.2.0/24 }
        nodes:
          client: { role: client, interfaces: { net: 192.0.2.10 } }
          server: { role: backend, interfaces: { net: 192.0.2.20 } }
        traffic:
          app: { from: client, to: "server:7", \(program) }
        scenario: [ { start: app }, { wait: 1s } ]
        expect:
          - \(expect)

        """
    }

    private static func options(_ program: String) throws -> (any TrafficKind)? {
        let variant = try Lab(parsing: text(program), path: "lab.yaml").variants.first
        // What a run saves is the same program.
        let saved = try variant.map { try Lab(parsing: $0.resolvedYAML, path: "resolved.yaml").variants }
        #expect(saved == variant.map { [$0] })
        return variant?.traffic.first?.options
    }

    private static func messages(_ text: String) -> [String] {
        do {
            _ = try Lab(parsing: text, path: "lab.yaml")
            return []
        } catch {
            return error.errors.map { "\($0)".split(separator: "\n").joined(separator: " ") }
        }
    }

    @Test func `options become those of the program`() throws {
        let stream =
            try Self.options(
                "kind: tcp-stream, keepalive: { idle: 1s }, user-timeout: 500ms, reconnect: on, max-age: 2s, sizes: 64")
            as? TCPStreamTraffic
        #expect(
            stream
                == TCPStreamTraffic(
                    sizes: [64],
                    tcp: TCPSocketOptions(
                        keepalive: .init(idle: .seconds(1), interval: .seconds(75), count: 9),
                        userTimeout: .milliseconds(500)),
                    reconnect: Reconnect(after: .milliseconds(100), atMost: .seconds(5)), maximumAge: .seconds(2)))
        #expect(try Self.options("kind: tcp-stream, reconnect: off") as? TCPStreamTraffic == TCPStreamTraffic())
        let slow = try Self.options("kind: tcp-stream, reconnect: { after: 8s }") as? TCPStreamTraffic
        #expect(slow?.reconnect == Reconnect(after: .seconds(8), atMost: .seconds(8)))
        #expect(
            try Self.options("kind: http-request, method: PUT, body: [1, 2], retry: 2, reuse: on")
                as? HTTPRequestTraffic
                == HTTPRequestTraffic(usesTLS: false, method: .put, bodies: [1, 2], reuses: true, retries: 2))
        #expect(
            try Self.options("kind: udp, burst: 1, rebind: { after: 1s }") as? UDPTraffic
                == UDPTraffic(rebinding: .after(.seconds(1))))
    }

    @Test(arguments: [
        ("kind: tcp-stream, keepalive: on", "8:69: 'keepalive' of a traffic program is 'on'"),
        ("kind: tcp-stream, keepalive: { count: 3 }", "8:58: 'keepalive' needs the key 'idle'"),
        (
            "kind: tcp-stream, keepalive: { idle: 1500ms }",
            "8:77: 'idle' of 'keepalive' is '1500ms'"
        ),
        ("kind: tcp-stream, keepalive: { idle: 1s, count: 128 }", "8:88: 'count' of 'keepalive' of"),
        ("kind: tcp-stream, keepalive: { idel: 1s }", "8:71: unknown key 'idel' of 'keepalive'"),
        ("kind: tcp-stream, user-timeout: 5", "8:72: 'user-timeout' of a traffic program is '5' without a unit"),
        ("kind: tcp-stream, reconnect: maybe", "8:69: 'reconnect' of a traffic program is 'maybe'"),
        (
            "kind: tcp-stream, reconnect: { after: 2s, at-most: 1s }",
            "8:82: 'at-most' of 'reconnect' is shorter than 'after'"
        ),
        ("kind: tcp-stream, sizes: [64, 10]", "8:70: 'sizes' of a traffic program is '10'"),
        ("kind: tcp-stream, sizes: []", "8:65: 'sizes' of a traffic program has 0 numbers"),
        ("kind: tcp-stream, payload: 64, sizes: [64]", "8:71: 'sizes' stands in the place of 'payload'"),
        ("kind: tcp-connect, exchange: off, sizes: [64]", "8:74: without an 'exchange' there are no requests"),
        ("kind: http-request, body: 10", "8:60: a GET has no body"),
        ("kind: http-request, method: POST, retry: 1", "8:74: a POST is not idempotent"),
        ("kind: http-request, max-age: 1s", "8:60: without 'reuse' each connection ends with its request"),
        ("kind: http-request, method: HEAD", "8:68: 'method' of a traffic program is 'HEAD'"),
        ("kind: udp, rebind: {}", "8:51: 'rebind' has neither 'after' nor 'requests'"),
        ("kind: udp, rebind: { after: 1s, requests: 2 }", "8:51: 'rebind' has both 'after' and 'requests'"),
        ("kind: udp, burst: 65", "8:58: 'burst' of a traffic program is '65'"),
        ("kind: udp, reconnect: on", "8:51: 'reconnect' belongs to kind tcp-stream; this one is udp"),
    ])
    func `mistakes have their line, their column and what is allowed`(program: String, message: String) {
        let found = Self.messages(Self.text(program))
        #expect(found.contains { $0.hasPrefix(message) }, "\(found)")
    }

    @Test func `only a program that reconnects has reconnects`() {
        let found = Self.messages(Self.text("kind: tcp-stream", expect: "app: { reconnects: 0 }"))
        #expect(found.contains { $0.hasPrefix("11:12: 'app' does not reconnect") }, "\(found)")
    }
}
