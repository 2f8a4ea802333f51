import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Labs of many nodes, and captures of many frames.
    @Suite struct Scale {
        /// Clients and a server at switches of a hundred ports each, as far as they go.
        /// - Parameters:
        ///   - hosts: the server among them
        ///   - capture: the lab file's `capture:`
        private static func manyHosts(
            _ name: String, hosts: Int, capture: String = "", every: String = "10ms", wait: String = "200ms",
            expect: String = "[{ app: { survives: true, lost: 0 } }]", payload: Int = 64
        ) -> String {
            let networks = (0...hosts / 100).map { "  lan\($0): 10.0.\($0).0/24" }
            var nodes = (1..<hosts).map { number in
                "  h\(number): { role: client, interfaces: { lan\(number / 100): 10.0.\(number / 100).\(number % 100 + 1) } }"
            }
            nodes.append("  server: { role: backend, interfaces: { lan0: 10.0.0.200 } }")
            return """
                schema: 1
                name: \(name)
                title: Many hosts
                networks:
                \(networks.joined(separator: "\n"))
                nodes:
                \(nodes.joined(separator: "\n"))
                traffic:
                  app: { from: h1, to: "server:7", kind: udp, every: \(every), payload: \(payload), patience: 2s }
                \(capture)
                scenario:
                  - start: app
                  - wait: \(wait)
                variants:
                  plain: { shows: control, expect: \(expect) }
                """
        }

        private static func write(_ text: String, in folder: TemporaryFolder) throws -> String {
            let path = folder.path + "/lab.yaml"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            return path
        }

        /// Frames in a capture; nil where it is no whole one.
        private static func frames(_ path: String) throws -> Int? {
            guard try CaptureStructure.problem(in: path) == nil else { return nil }
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            var (offset, count) = (24, 0)
            while offset + 16 <= bytes.count {
                let length = bytes.withUnsafeBytes {
                    Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset + 8, as: UInt32.self)))
                }
                offset += 16 + length
                count += 1
            }
            return offset == bytes.count ? count : nil
        }

        private static func variant(of lab: String, in folder: TemporaryFolder) throws -> [String: Any] {
            let verdict = try Lab.verdict(of: lab, in: folder)
            return try #require((verdict["variants"] as? [[String: Any]])?.first)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a lab of 150 hosts runs, and each capture has what passed its interface`() throws {
            let folder = try TemporaryFolder()
            let result = try Lab.failoverlab(
                ["run", try Self.write(Self.manyHosts("many-hosts", hosts: 150), in: folder)], in: folder)
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            let variant = try Self.variant(of: "many-hosts", in: folder)
            let captures = try #require(variant["captures"] as? [[String: Any]])
            #expect(captures.count == 300)
            let latest = "\(folder.path)/runs/many-hosts/latest/plain/"
            var ofHost: [String: Int] = [:]
            for capture in captures {
                let (node, path) = (try #require(capture["node"] as? String), try #require(capture["path"] as? String))
                let frames = try #require(capture["frames"] as? Int)
                #expect(capture["dropped"] as? Int == 0 && capture["losses"] == nil, "\(capture)")
                #expect(try Self.frames(latest + path) == frames, "\(path)")
                ofHost["\(node).\(capture["interface"] as? String ?? "")"] = frames
            }
            let integrity = try #require(variant["integrity"] as? [String: Any])
            // Both ends of each cable hold the same frames.
            #expect(integrity["verdict"] as? String == "pass" && integrity["cables"] as? Int == 150, "\(integrity)")
            let app = try #require((variant["traffic"] as? [[String: Any]])?.first)
            let asked = try #require(app["sent"] as? Int ?? app["probes"] as? Int, "\(app)")
            // A request and an answer of each probe, and ARP of both.
            #expect((2 * asked...2 * asked + 8).contains(ofHost["h1.lan0"] ?? 0), "\(asked): \(ofHost["h1.lan0"] ?? 0)")
            #expect(ofHost["h1.lan0"] == ofHost["lan0.h1"] && ofHost["server.lan0"] == ofHost["lan0.server"])
            // Of the rest of the switch: ARP requests go everywhere, answers to nobody else.
            #expect((0...4).contains(ofHost["h2.lan0"] ?? -1), "\(ofHost["h2.lan0"] ?? -1)")
            #expect(ofHost["h120.lan1"] == 0)
            let check = try Lab.failoverlab(["check", latest], in: folder)
            #expect(check.status == 0, "\(check.output)\(check.errors)")
        }

        /// More namespaces than a process can be started with descriptors.
        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a lab of 520 hosts comes up with every interface captured, and goes down`() throws {
            let folder = try TemporaryFolder()
            let lab = "hosts-\(getpid())"
            let up = try Lab.failoverlab(
                ["up", try Self.write(Self.manyHosts(lab, hosts: 520), in: folder)], in: folder)
            defer { _ = try? Lab.failoverlab(["down", lab], in: folder) }
            #expect(up.status == 0, "\(up.errors)")
            let captures = "\(folder.path)/runs/\(lab)/latest/plain/captures"
            #expect(Lab.captures(in: captures).count == 1040)
            let ask = try Lab.failoverlab(
                ["exec", "--lab", lab, "h517", "--", "bash", "-c", "echo hello >/dev/udp/10.0.5.2/7"], in: folder)
            #expect(ask.status == 0, "\(ask.errors)")
            let down = try Lab.failoverlab(["down", lab], in: folder)
            #expect(down.status == 0, "\(down.errors)")
            for (end, hasFrames) in [("h517.lan5", true), ("lan5.h517", true), ("h400.lan4", false)] {
                let frames = try #require(try Self.frames("\(captures)/\(end).pcap"), "\(end)")
                #expect((frames > 0) == hasFrames, "\(end): \(frames)")
            }
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a snapshot length of the lab file cuts what is captured, and nothing that is evaluated`() throws {
            let folder = try TemporaryFolder()
            let text = Self.manyHosts("short", hosts: 3, capture: "capture: { snapshot-length: 64 }", payload: 1000)
            let result = try Lab.failoverlab(["run", try Self.write(text, in: folder)], in: folder)
            #expect(result.status == 0, "\(result.output)\(result.errors)")
            let path = "\(folder.path)/runs/short/latest/plain/captures/h1.lan0.pcap"
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            let frames = try #require(try Self.frames(path))
            #expect(frames > 20)
            // ARP has 42 bytes, all others more than 64.
            #expect(bytes.count <= 24 + frames * (16 + 64))
            #expect(bytes.count >= 24 + (frames - 4) * (16 + 64))
            let check = try Lab.failoverlab(["check", "runs/short/latest"], in: folder)
            #expect(check.status == 0, "\(check.output)\(check.errors)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `captures that reach their limit leave the variant in doubt, with the reason`() throws {
            let folder = try TemporaryFolder()
            let lab = try Self.write(
                Self.manyHosts(
                    "limited", hosts: 2, every: "1ms", wait: "500ms",
                    expect:
                        "[{ app: { survives: true } }, { frames: { on: server.lan0, of: app, direction: to-server }, count: 100000 }]",
                    payload: 1000), in: folder)
            let result = try Lab.failoverlab(["run", lab, "--capture-limit", "256K"], in: folder)
            #expect(result.status == 5, "\(result.output)\(result.errors)")
            #expect(result.output.contains("--capture-limit"), "\(result.output)")
            let variant = try Self.variant(of: "limited", in: folder)
            #expect(variant["verdict"] as? String == "inconclusive")
            #expect(variant["earlierAttempts"] == nil, "it would reach the same limit again")
            let integrity = try #require(variant["integrity"] as? [String: Any])
            let kinds = (integrity["findings"] as? [[String: Any]] ?? []).compactMap { $0["kind"] as? String }
            #expect(integrity["verdict"] as? String == "inconclusive")
            #expect(kinds.contains("capture-limit") && Set(kinds) == ["capture-limit"], "\(kinds)")
            // A number that only the frames that were left out could make up is no failure.
            let expectations = try #require(variant["expectations"] as? [[String: Any]])
            let count = try #require(
                expectations.first { ($0["expected"] as? String ?? "").contains("100000") }, "\(expectations)")
            #expect(count["verdict"] as? String == "inconclusive", "\(count)")
            #expect((count["seen"] as? String ?? "").contains("--capture-limit left out"), "\(count)")
            let captures = try #require(variant["captures"] as? [[String: Any]])
            #expect(captures.contains { ($0["leftOut"] as? Int ?? 0) > 100 })
            #expect(captures.allSatisfy { $0["dropped"] as? Int == 0 })
            let files = Lab.captures(in: folder.path + "/runs/limited/latest/plain")
            let sizes = try files.map { try FileManager.default.attributesOfItem(atPath: $0)[.size] as? Int ?? 0 }
            #expect(sizes.reduce(0, +) <= 256 << 10, "\(sizes)")
            // As before, from the files alone.
            let check = try Lab.failoverlab(["check", "runs/limited/latest"], in: folder)
            #expect(check.status == 5 && check.output.contains("--capture-limit"), "\(check.output)\(check.errors)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a lab that stays up keeps its newest frames within the limit`() throws {
            let folder = try TemporaryFolder()
            let lab = "rotating-\(getpid())"
            let path = try Self.write(Self.manyHosts(lab, hosts: 3), in: folder)
            let up = try Lab.failoverlab(["up", path, "--capture-limit", "512K"], in: folder)
            defer { _ = try? Lab.failoverlab(["down", lab], in: folder) }
            #expect(up.status == 0, "\(up.errors)")
            #expect(up.errors.contains("512 KiB"), "\(up.errors)")
            // 3 MB at each of four ends, numbered.
            let send = """
                for n in $(seq 1 3000); do printf '%08d%992s' $n '' >/dev/udp/10.0.0.200/9; done
                """
            let sent = try Lab.failoverlab(["exec", "--lab", lab, "h1", "--", "bash", "-c", send], in: folder)
            #expect(sent.status == 0, "\(sent.errors)")
            let captures = "\(folder.path)/runs/\(lab)/latest/plain/captures"
            func sizes() throws -> [String: Int] {
                var sizes: [String: Int] = [:]
                for name in try FileManager.default.contentsOfDirectory(atPath: captures) {
                    sizes[name] = try FileManager.default.attributesOfItem(atPath: "\(captures)/\(name)")[.size] as? Int
                }
                return sizes
            }
            // The report of what was removed is a second late at most.
            var status = ""
            let deadline = Date() + 30
            repeat {
                status = try Lab.failoverlab(["status"], in: folder).output
            } while !status.contains("frames were removed") && Date() < deadline
            #expect(status.contains("of 512 KiB; the oldest"), "\(status)")
            let down = try Lab.failoverlab(["down", lab], in: folder)
            #expect(down.status == 0, "\(down.errors)")
            let kept = try sizes()
            #expect(kept.values.reduce(0, +) <= 512 << 10, "\(kept)")
            // Both ends of a cable saw the datagrams; whose files were written last has more of them left.
            let ends = ["server.lan0.pcap", "lan0.server.pcap"]
            let parts = kept.keys.filter { name in ends.contains { name.hasPrefix($0) } }
            #expect(parts.count > 2 && parts.filter(ends.contains).count == 2, "\(kept)")
            var last: [String: Int] = [:]
            for part in parts {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(captures)/\(part)"))
                #expect(try Self.frames("\(captures)/\(part)") != nil, "\(part)")
                // The last datagram of the part, by its eight digits behind the headers.
                let text = String(decoding: bytes, as: UTF8.self)
                last[part] = text.ranges(of: /0000\d{4}/).last.flatMap { Int(text[$0]) }
            }
            #expect(last.values.max() == 3000, "\(last)")
        }

        @Test(arguments: ["10", "12Q", "", "-5M", "9999999999T"])
        func `a limit that is no size is refused with what one looks like`(size: String) throws {
            let folder = try TemporaryFolder()
            let path = try Self.write(Self.manyHosts("sizes", hosts: 2), in: folder)
            for verb in ["run", "up"] {
                let result = try Lab.failoverlab([verb, path, "--capture-limit=\(size)"], in: folder)
                #expect(result.status == 2, "\(verb) \(size): \(result.errors)")
                #expect(result.errors.contains("--capture-limit"), "\(result.errors)")
            }
        }
    }
}
