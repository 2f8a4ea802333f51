import Foundation
import TestSupport
import Testing

extension ShippedLabs {
    /// Direct server return, as a person would run it.
    @Suite struct DirectReturn {
        private func run(_ lab: String, variants count: Int) throws {
            let run = try CatalogueRun.of(lab)
            #expect(run.result.status == 0, "\(run.result.output)\n\(run.result.errors)")
            let variants = try #require(try run.verdict()["variants"] as? [[String: Any]])
            #expect(variants.count == count)
            let captures = Lab.captures(in: run.path)
                .filter { $0.contains("/captures/lb") || $0.hasSuffix(".tunnel.pcap") }
            #expect(captures.count >= count)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `members answer clients themselves, and each setting that is left out shows`() throws {
            try run("direct-server-return", variants: 41)
        }

        @Test(
            .enabled(if: Host.canRunLabs && Package.tool("bird") != nil, "this host cannot run labs, or lacks bird"))
        func `a balancer dies and connections survive, because every balancer hashes alike`() throws {
            try run("direct-server-return-balancers", variants: 8)
        }

        /// The lab with a change of one line, run for one variant.
        private func run(changing old: String, to new: String, variant: String) throws -> CommandResult {
            let folder = try TemporaryFolder()
            var text = try String(contentsOfFile: Package.root + "/Labs/direct-server-return/lab.yaml", encoding: .utf8)
            #expect(text.contains(old), "the lab file no longer has '\(old)'")
            text = text.replacingOccurrences(of: old, with: new)
            try text.write(toFile: folder.path + "/lab.yaml", atomically: true, encoding: .utf8)
            return try Lab.failoverlab(
                ["run", folder.path + "/lab.yaml", "--variant", variant] + Lab.untilDecided, in: folder)
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a way that is broken on purpose is caught`() throws {
            let result = try run(changing: "all.arp_ignore: 1", to: "all.arp_ignore: 0", variant: "l2-tcp")
            #expect(result.status == 1, "\(result.output)\n\(result.errors)")
            #expect(result.output.contains("✘ expected every frame on router.servers"))
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `what direct server return refuses builds nothing, and names line and column`() throws {
            let result = try run(
                changing: "scheduler: consistent-hash", to: "scheduler: round-robin", variant: "l2-tcp")
            #expect(result.status == 2, "\(result.output)\n\(result.errors)")
            #expect(result.errors.contains("supports consistent hash only"))
            #expect(result.errors.contains("lab.yaml:39:20"), "\(result.errors)")
        }

        /// Runs where the kernel has no such tunnel: there the lab says so; elsewhere the kernel's own does its work.
        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `the kernel's own tunnel does its work, or is refused with exit 4 and the reason`() throws {
            let result = try run(
                changing: "gateway: router.far, tunnel: ipip,",
                to: "gateway: router.far, tunnel: { mode: ipip, end: kernel },",
                variant: "ipip-tcp")
            if result.status == 4 {
                #expect(result.errors.contains("this kernel does not support this tunnel"), "\(result.errors)")
                #expect(result.errors.contains("modprobe ipip"), "\(result.errors)")
            } else {
                #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            }
        }
    }
}
