import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What labs need of the kernel beyond namespaces, links and packet sockets, and of programs that steps call.
    @Suite struct KernelNeeds {
        private static let hasIPVS = FileManager.default.fileExists(atPath: "/proc/net/ip_vs")

        private func run(programs: String, scenario: String) throws -> CommandResult {
            let folder = try TemporaryFolder()
            try """
            schema: 1
            name: needs
            networks: { lan: 192.0.2.0/24 }
            nodes:
              client: { role: client, interfaces: { lan: } }
              lb:
                role: backend
                interfaces: { lan: 192.0.2.2 }
                programs:
                  \(programs)
            scenario: \(scenario)
            """.write(toFile: folder.path + "/lab.yaml", atomically: true, encoding: .utf8)
            return try Lab.failoverlab(["run", "lab.yaml"], in: folder)
        }

        @Test func `doctor reports whether the kernel has IPVS, and names the module, but requires none`() throws {
            let doctor = try Host.doctor.get()
            let line = try #require(doctor.output.split(separator: "\n").first { $0.contains("IPVS") })
            #expect(line.hasPrefix("✔"), "\(line)")
            #expect(line.contains("modprobe ip_vs") == !Self.hasIPVS, "\(line)")
        }

        @Test(
            .enabled(if: Host.canRunLabs, "this host cannot run labs"), .enabled(if: !hasIPVS, "this kernel has IPVS"),
            .enabled(if: Package.tool("keepalived") != nil, "keepalived is not installed"))
        func `virtual servers of keepalived end a lab with code 4 where the kernel has no IPVS`() throws {
            let result = try run(
                programs: #"keepalived: { config: "virtual_server 192.0.2.100 80 {\n lb_algo rr\n lb_kind DR\n}\n" }"#,
                scenario: "[{ wait: 10ms }]")
            #expect(result.status == 4, "\(result.output)\n\(result.errors)")
            #expect(result.errors.contains("program 'keepalived' of 'lb' needs IPVS"), "\(result.errors)")
            #expect(result.errors.contains("modprobe ip_vs") && result.errors.contains("CONFIG_IP_VS"))
        }

        @Test(
            .enabled(if: Host.canRunLabs, "this host cannot run labs"), .enabled(if: !hasIPVS, "this kernel has IPVS"))
        func `a step that calls ipvsadm ends a lab with code 4 where the kernel has no IPVS`() throws {
            let result = try run(
                programs: "sleep: { run: [sleep, inf] }",
                scenario: "[{ exec: { lb: 'ipvsadm -A -t 192.0.2.100:80 -s rr' } }]")
            #expect(result.status == 4, "\(result.output)\n\(result.errors)")
            #expect(result.errors.contains("a step on 'lb' needs IPVS"), "\(result.errors)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a step with a program that is not installed ends a lab with code 4 before anything is built`() throws {
            let result = try run(
                programs: "sleep: { run: [sleep, inf] }", scenario: "[{ exec: { lb: [no-such-program, -x] } }]")
            #expect(result.status == 4, "\(result.output)\n\(result.errors)")
            #expect(result.errors.contains("'no-such-program'"), "\(result.errors)")
        }
    }
}
