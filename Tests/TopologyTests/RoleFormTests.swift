import Foundation
import LabFile
import Testing

@testable import Topology

/// The table of roles: each is complete, and used.
struct RoleFormTests {
    /// - Parameter isOneSubnet: whether the node joins its networks at layer 2
    private static func lab(_ nodes: String, isOneSubnet: Bool = false) -> String {
        """
        schema: 1
        name: example
        networks:
          left: { subnet: 192.0.2.0/24, switch: on }
          right: { \(isOneSubnet ? "" : "subnet: 198.51.100.0/24, ")switch: on }
        nodes:
          server: { role: backend, interfaces: { left: 192.0.2.20\(isOneSubnet ? "" : ", right: 198.51.100.20") } }
        \(nodes.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))
        """
    }

    private static let words = RoleForms.table.map(\.word)

    @Test(arguments: words)
    func `its example validates`(word: String) throws {
        let form = try #require(RoleForm(rawValue: word))
        do {
            let nodes = try Lab(
                parsing: Self.lab(form.example, isOneSubnet: form.word == RoleForm.switch.word), path: "lab.yaml"
            ).variants.first?.nodes
            let node = try #require(nodes?.first { $0.name == "example" })
            #expect(node.role.word == word && type(of: node.role.configuration) == form.configuration)
            let written = try JSONEncoder().encode(node.role)
            let object = try #require(try JSONSerialization.jsonObject(with: written) as? [String: [String: Any]])
            #expect(object.keys.sorted() == [form.configuration.key] && object.values.first?.keys.sorted() == ["_0"])
            #expect(try JSONDecoder().decode(Node.Role.self, from: written) == node.role)
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test func `the names in files stay`() {
        let names = ["element", "firewall", "gatewayFirewall", "host", "loadBalancer", "switch"]
        #expect(RoleForms.configurations.keys.sorted() == names)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(Node.Role.self, from: Data(#"{ "toaster": { "_0": {} } }"#.utf8))
        }
    }

    @Test func `examples have the keys`() throws {
        var written: [String: Set<String>] = [:]
        for form in RoleForms.table {
            let nodes = try LabDocument(parsing: Self.lab(form.example), path: "lab.yaml").root["nodes"]
            let own = nodes?["example"]?.entries?.map(\.key) ?? []
            // Roles with the same keys are one in the kernel.
            for other in RoleForms.table where other.keys == form.keys || form.word == "router" {
                written[other.word, default: []].formUnion(own)
            }
            if !form.isBox { written["router", default: []].formUnion(own) }
        }
        for form in RoleForms.table {
            for key in form.keys where written[form.word]?.contains(key) != true {
                Issue.record("no example of \(form.article) has '\(key)'")
            }
        }
    }

    @Test(arguments: words)
    func `a lab of the catalogue, the benchmarks or the tests uses it`(word: String) {
        #expect(LabFiles.mention("role: \(word)"), "no lab has 'role: \(word)'")
    }

    @Test func `the reference has its table`() throws {
        let lines = RoleForms.table.map { form in
            "| `\(form.word)` | \(form.summary) | \(form.keys.map { "`\($0)`" }.joined(separator: ", ")) |"
        }
        try ReferencePage("roles").check(
            (["| `role` | node | keys of its own |", "|---|---|---|"] + lines).joined(separator: "\n"))
    }
}
