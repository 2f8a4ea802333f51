import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Source NAT of a firewall pair, with the frames that prove it.
    @Suite struct NAT {
        private static let lab = """
            schema: 1
            name: nat
            title: Two clients behind a pair that translates
            networks: { outside: 192.0.2.0/24, inside: 198.51.100.0/24, sync: }
            nodes:
              client-1: { role: client, interfaces: { inside: 198.51.100.11 }, gateway: 198.51.100.1 }
              client-2: { role: client, interfaces: { inside: 198.51.100.12 }, gateway: 198.51.100.1 }
              fw-a:
                role: firewall
                interfaces: { outside: 192.0.2.2, inside: 198.51.100.2, sync: }
                redundancy:
                  { peer: fw-b, priority: 200, preempt: off, addresses: { outside: 192.0.2.1, inside: 198.51.100.1 } }
                nat:
                  pools: { internet: { addresses: POOL } }
                  rules: [{ source: inside, pool: internet }]
              fw-b:
                role: firewall
                interfaces: { outside: 192.0.2.3, inside: 198.51.100.3, sync: }
              server: { role: backend, interfaces: { outside: 192.0.2.50 } }
            traffic:
              one: { from: client-1, to: "server:7", kind: tcp-stream, flows: 4, every: 10ms, patience: 800ms }
              two: { from: client-2, to: "server:7", kind: udp, flows: 4, every: 10ms, patience: 800ms }
              new: { from: client-2, to: "server:7", kind: tcp-connect, every: 20ms, patience: 800ms }
            scenario:
              - start: [one, two]
              - wait: 400ms
              - { fail: { power-off: fw-a }, as: failover }
              - { wait-for: fw-b.active, within: 5s }
              - wait: 300ms
              - start: new
              - wait: 700ms
            variants:
              default:
                shows: SHOWS
                expect:
                  - new: survived
                  - frames: { on: server.outside, match: "tcp dst port 7 or udp dst port 7" }
                    none: { ip.src: 198.51.100.0/24 }
            EXPECT
            """

        private func run(pool: String, shows: String, _ expectations: String) throws -> TemporaryFolder {
            let folder = try TemporaryFolder()
            let path = folder.path + "/lab.yaml"
            let indented = expectations.split(separator: "\n").map { "      " + $0 }.joined(separator: "\n")
            let text = Self.lab.replacingOccurrences(of: "POOL", with: pool)
                .replacingOccurrences(of: "SHOWS", with: shows).replacingOccurrences(of: "EXPECT", with: indented)
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", path], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            return folder
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `with the virtual address as its pool, each flow keeps its source address and port over a power-off`()
            throws
        {
            let folder = try run(
                pool: "outside.virtual-ip", shows: "remedy",
                """
                - one: { survives: true, longest-gap: "< 2s" }
                - two: { survives: true, longest-gap: "< 2s" }
                - frames: { on: server.outside, match: "tcp dst port 7 or udp dst port 7" }
                  every: { ip.src: fw-a/internet.address, eth.src: fw-b.outside.virtual-mac }
                """)
            // The captures say the same without the command's help: per flow, before and after.
            let failover = try moment("failover", in: folder)
            let frames = try requests(in: folder)
            let before = Set(frames.filter { $0.at < failover }.map(\.source))
            let after = Set(frames.filter { $0.at > failover + 0.4 && !$0.isNew }.map(\.source))
            #expect(before.count == 8)
            #expect(after == before)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `with the interface's own address as its pool, existing flows are lost and new ones work`() throws {
            _ = try run(
                pool: "outside.ip", shows: "symptom",
                """
                - one: timed-out
                - two: timed-out
                - frames: { on: server.outside, match: "tcp dst port 7 or udp dst port 7", before: failover }
                  every: { ip.src: fw-a.outside.ip }
                - frames: { on: server.outside, match: "tcp dst port 7 and tcp[13] == 2", after: failover }
                  every: { ip.src: fw-b.outside.ip }
                """)
        }

        // MARK: The capture of the server's port, read without the project's own code

        private struct Request {
            var at: Double
            /// Protocol, source address and port.
            var source: [UInt8]
            /// A connection that began after the failover.
            var isNew: Bool
        }

        private func requests(in folder: TemporaryFolder) throws -> [Request] {
            let path = "\(folder.path)/runs/nat/latest/default/captures/server.outside.pcap"
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            func number(_ offset: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) } }
            var requests: [Request] = []
            var begun = Set<[UInt8]>()
            let failover = try moment("failover", in: folder)
            var offset = 24
            while offset + 16 <= bytes.count {
                let time = Double(number(offset)) + Double(number(offset + 4)) / 1e9
                let frame = Array(bytes[(offset + 16)..<(offset + 16 + number(offset + 8))])
                offset += 16 + frame.count
                guard frame.count >= 42, frame[12] == 8, frame[13] == 0, frame[23] == 6 || frame[23] == 17,
                    frame[36] == 0, frame[37] == 7
                else { continue }
                let source = [frame[23]] + frame[26..<30] + frame[34..<36]
                if frame[23] == 6, frame[47] & 0x12 == 2, time > failover { begun.insert(source) }
                requests.append(Request(at: time, source: source, isNew: begun.contains(source)))
            }
            return requests
        }

        private func moment(_ event: String, in folder: TemporaryFolder) throws -> Double {
            let verdict = try Lab.verdict(of: "nat", in: folder)
            let variant = try #require((verdict["variants"] as? [[String: Any]])?.first)
            let events = try #require(variant["events"] as? [[String: Any]])
            let time = try #require(events.first { $0["name"] as? String == event }?["time"] as? String)
            // 2026-01-02T03:04:05.123456789Z
            let parts = time.dropLast().split(separator: ".")
            let whole = try #require(ISO8601DateFormatter().date(from: parts[0] + "Z"))
            return whole.timeIntervalSince1970 + (Double("0." + parts[1]) ?? 0)
        }
    }
}
