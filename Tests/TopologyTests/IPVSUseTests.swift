import Configuration
import LabFile
import Testing

@testable import Topology

/// Which programs and steps need the kernel's IPVS.
struct IPVSUseTests {
    private func variant(programs: String, scenario: String = "[{ wait: 1s }]") throws -> Variant {
        let text = """
            schema: 1
            name: balancer
            networks: { lan: 192.0.2.0/24 }
            nodes:
              client: { role: client, interfaces: { lan: } }
              lb:
                role: router
                interfaces: { lan: 192.0.2.2 }
                programs:
                  \(programs)
            scenario: \(scenario)
            """
        return try #require(try Lab(parsing: text, path: "lab.yaml").variants.first)
    }

    private func program(_ text: String) throws -> ProgramConfiguration {
        try #require(try variant(programs: text).node(named: "lb")?.programs.first)
    }

    @Test(arguments: [
        #"keepalived: { config: "virtual_server 192.0.2.100 80 { }" }"#,
        #"keepalived: { config: "\tvirtual_server_group web {\n}\n" }"#,
        #"own: { run: [/usr/sbin/keepalived, -f, $folder/k], files: { k: "virtual_server fwmark 1 { }" } }"#,
        "rules: { run: [ipvsadm, -L] }",
        "rules: { run: [sh, -c, 'set -e; /sbin/ipvsadm -A -t 192.0.2.100:80; exec sleep inf'] }",
        "rules: { run: [sleep, inf], counters: { run: [ipvsadm, -L, --stats] } }",
    ])
    func `a virtual server of keepalived and ipvsadm need IPVS`(text: String) throws {
        #expect(try program(text).needsIPVS)
    }

    @Test(arguments: [
        "keepalived: { instances: { lan: { router-id: 51, addresses: 192.0.2.1 } } }",
        ##"keepalived: { config: "# virtual_server 192.0.2.100 80 {\n! virtual_server\nglobal_defs {\n}\n" }"##,
        #"own: { run: [keepalived, --vrrp, -f, $folder/k], files: { k: "virtual_server fwmark 1 { }" } }"#,
        #"other: { run: [sleep, inf], files: { k.conf: "virtual_server fwmark 1 { }" } }"#,
        "other: { run: [sh, -c, 'exec my-ipvsadm-exporter'] }",
    ])
    func `nothing else needs it`(text: String) throws {
        #expect(try !program(text).needsIPVS)
    }

    @Test func `keepalived runs without its process for IPVS where a virtual server is only a comment`() throws {
        let without = try program(##"keepalived: { config: "# virtual_server 192.0.2.100 80 {\nglobal_defs {\n}\n" }"##)
        #expect(without.command.last == "--vrrp")
        let with = try program(#"keepalived: { config: "virtual_server 192.0.2.100 80 { }" }"#)
        #expect(!with.command.contains("--vrrp"))
    }

    @Test func `commands of steps are known with their nodes`() throws {
        let variant = try variant(
            programs: "sleep: { run: [sleep, inf] }",
            scenario: """
                [{ exec: { lb: ipvsadm -C } }, { wait: 1s }, { exec: { client: [ip, link] }, exit: 1, as: look },
                           { fail: { link-down: lb.lan } }]
                """)
        #expect(variant.stepCommands.map(\.node) == ["lb", "client"])
        #expect(variant.stepCommands.map(\.words) == [["/bin/sh", "-c", "ipvsadm -C"], ["ip", "link"]])
        #expect(variant.stepCommands.map { IPVSUse.isNamed(in: $0.words) } == [true, false])
    }
}
