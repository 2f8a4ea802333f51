import LabFile
import Testing

@testable import Topology

/// What a node's process would refuse is a mistake of the lab file.
@Suite struct `What a box cannot be` {
    private func messages(_ text: String) -> [String] {
        do {
            _ = try Lab(parsing: text, path: "lab.yaml")
            return []
        } catch {
            return error.errors.map { "\($0)" }
        }
    }

    @Test func `more ports than a box has are told with the box's line`() {
        let networks = (0..<65).map { "  n\($0): 10.0.\($0).0/24\n" }.joined()
        let ends = (0..<65).map { "  h\($0): { role: client, interfaces: { n\($0): } }\n" }.joined()
        let own = (0..<65).map { "n\($0): ~" }.joined(separator: ", ")
        let text = """
            schema: 1
            name: wide
            networks:
            \(networks)nodes:
              gw: { role: gateway-firewall, mode: routed, interfaces: { \(own) } }
            \(ends)scenario: [{ wait: 1s }]
            """
        let found = messages(text)
        #expect(
            found == ["70:3: 'gw' cannot work: a box has at most 64 ports; this one has 65"], "\(found)")
    }

    @Test func `per-packet services that could not tell their answers apart are told`() {
        let service = "profile: udp-per-packet, snat: off, pool: ['backend-1:53'] }"
        let text = SmallLab.replacing(
            "      web:\n",
            "      one: { listen: '198.51.100.101:53/udp', \(service)\n      two: { listen: '198.51.100.102:53/udp', \(service)\n      web:\n"
        )
        let found = messages(text)
        #expect(
            found.contains {
                $0.hasPrefix("21:3: 'lb' cannot work: the per-packet services one and two share member")
            }, "\(found)")
    }

    @Test func `nginx on a balancer keeps off the ports of services that end there`() {
        func lab(_ nginx: String) -> String {
            SmallLab.replacing("gateway: fw-a.inside", "gateway: fw-a.inside\n    programs: { nginx: \(nginx) }")
                .replacing("profile: tcp-fast-path", with: "profile: tcp-proxy")
        }
        let found = messages(lab("{ upstreams: [backend-1] }"))
        #expect(
            found.contains {
                $0.hasPrefix("25:") && $0.contains("also of virtual service 'web', which ends at the same kernel")
            },
            "\(found)")
        #expect(messages(lab("{ listen: 8081, upstreams: ['backend-1:81'] }")).isEmpty)
        #expect(messages(lab("{ config: x }")).isEmpty)
    }
}
