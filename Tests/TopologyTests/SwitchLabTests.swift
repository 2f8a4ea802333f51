import Configuration
import LabFile
import Testing
import Wire

@testable import Topology

private let text = """
    schema: 1
    name: switch
    networks:
      left: 10.0.0.0/24
      right:
      third:
    nodes:
      client: { role: client, interfaces: { left: 10.0.0.10 } }
      server: { role: backend, interfaces: { right: 10.0.0.20 } }
      other: { role: backend, interfaces: { third: 10.0.0.30 } }
      sw:
        role: switch
        interfaces: { left: , right: , third: }
        ageing: 10s
    traffic:
      ask: { from: client, to: "server:7", kind: udp-request, every: 50ms, patience: 1s }
    scenario: [{ start: ask }, { wait: 300ms }]
    expect:
      - ask: { succeeds: true }
    """

private func problems(_ text: String) -> String {
    do {
        _ = try Lab(parsing: text, path: "lab.yaml")
        return ""
    } catch { return "\(error)" }
}

private func replacing(_ old: String, _ new: String) -> String {
    let parts = text.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
    #expect(parts.count == 2, "'\(old)' is not in the lab")
    return parts.joined(separator: new)
}

@Suite struct `A switch in a lab file` {
    @Test func `joins its networks to one subnet and has no addresses`() throws {
        let variant = try Lab(parsing: text, path: "lab.yaml").variants[0]
        #expect(Set(variant.networks.map { $0.subnet?.description }) == ["10.0.0.0/24"])
        let node = try #require(variant.node(named: "sw"))
        #expect(node.isBox && node.interfaces.allSatisfy { $0.address == nil })
        guard let configuration = node.role.switch else { return #expect(Bool(false), "\(node.role)") }
        #expect(configuration.ageing == .seconds(10) && configuration.tableSize == 8192)
        #expect(configuration.ports.map(\.name) == ["left", "right", "third"])
    }

    @Test(arguments: [
        ("{ left: , right: , third: }", "{ left: }", "the switch 'sw' has 1 interfaces; allowed: 2 … 8"),
        (
            "{ left: , right: , third: }", "{ left: , again: { network: left } }",
            "both interfaces of the switch 'sw' lead to network 'left'; allowed: two networks, which it joins"
        ),
        (
            "{ left: , right: , third: }", "{ left: 10.0.0.2, right: , third: }",
            "sw.left has an address, but a switch has none; allowed: none"
        ),
        ("ageing: 10s", "ageing: 10s\n    gateway: 10.0.0.1", "the switch 'sw' has no routes; allowed: no 'gateway'"),
        ("ageing: 10s", "agieng: 10s", "did you mean 'ageing'?"),
        ("ageing: 10s", "mac-table: 0", "mac-table"),
        ("right:\n", "right: { mtu: 1400 }\n", "the ports of the switch 'sw' have MTU 1500, 1400, 1500"),
        (
            "right:\n", "right: 10.0.1.0/24\n",
            "network 'right' has the subnet 10.0.1.0/24 and 'left' has 10.0.0.0/24, but a switch joins them"
        ),
    ])
    func `mistakes are reported`(old: String, new: String, message: String) {
        let found = problems(replacing(old, new))
        #expect(found.contains(message), "\(found)")
    }
}
