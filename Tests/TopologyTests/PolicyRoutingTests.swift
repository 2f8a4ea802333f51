import Configuration
import Expectation
import LabFile
import Testing
import Wire

@testable import Topology

@Suite struct `Policy routing of a lab file` {
    private func lab(_ routing: String) -> String {
        SmallLab.replacing("interfaces: { servers: }", "interfaces: { servers: }\n    " + routing)
    }

    private func messages(_ text: String) -> [String] {
        do {
            _ = try Lab(parsing: text, path: "lab.yaml")
            return []
        } catch {
            return error.errors.map { "\($0)" }
        }
    }

    @Test func `has rules in the lab's words, and tables`() throws {
        let text = lab(
            """
            routing:
                  tables: { 10: { 10.9.0.0/24: lb.servers } }
                  rules:
                    - { remove: 0 }
                    - { preference: 10, from: backend-1.servers, to: 10.9.0.0/24, in: lo, table: 10 }
                    - { preference: 100, table: local }
            """)
        let node = try #require(try Lab(parsing: text, path: "lab.yaml").variants.first?.node(named: "backend-1"))
        #expect(
            node.rules == [
                RoutingRule(preference: 0),
                RoutingRule(
                    preference: 10, from: IPv4Network("169.254.1.2/32"), to: IPv4Network("10.9.0.0/24"), input: "lo",
                    table: 10),
                RoutingRule(preference: 100, table: 255),
            ])
        #expect(
            node.tables == [
                RoutingTable(
                    number: 10,
                    routes: [
                        RouteConfiguration(
                            destination: IPv4Network("10.9.0.0/24")!, gateway: IPv4Address(169, 254, 1, 1))
                    ])
            ])
        // What is taken away comes last.
        let steps = Plan(for: try #require(try Lab(parsing: text, path: "lab.yaml").variants.first)).steps
        let rules = steps.compactMap { if case .rule(let rule) = $0.action { rule.preference } else { nil } }
        #expect(rules == [10, 100, 0])
    }

    @Test(arguments: [
        ("routing: { rules: [{ preference: 10 }] }", "a rule needs the key 'table'"),
        (
            "routing: { rules: [{ preference: 10, table: 10 }] }",
            "'table' of a rule is '10'; allowed: default, local, main"
        ),
        (
            "routing: { rules: [{ remove: 0, table: main }] }",
            "'remove' takes the rule of a preference away, without 'table'"
        ),
        (
            "routing: { rules: [{ preference: 10, in: server, table: main }] }",
            "'in' of a rule is 'server', which 'backend-1' does not have"
        ),
        (
            "routing: { rules: [{ preference: 10, from: backend-1.server, table: main }] }",
            "'from' of a rule is 'backend-1.server'"
        ),
        ("routing: { tables: { main: { default: lb.servers } } }", "'main' is no table of 'backend-1'"),
    ])
    func `what is wrong is told`(_ routing: String, _ message: String) {
        let found = messages(lab(routing))
        #expect(found.contains { $0.contains(message) }, "\(found)")
    }

    @Test func `counters and shares are expected in words of their own`() throws {
        let text = SmallLab.replacing(
            "  - existing: timed-out",
            """
              - existing: { lost: { share: 50%, chance: 99.9% } }
              - counter: { of: backend-1, name: Ip.InReceives, minus: Ip.InDelivers, is: "> 0" }
            """)
        let specifications = try #require(try Lab(parsing: text, path: "lab.yaml").variants.first).expectations
        let traffic = try #require(specifications.first?.subject.value as? TrafficExpectation)
        #expect(traffic.randomLoss == RandomLoss(share: 0.5, confidence: 99.9 / 100))
        #expect(
            specifications.dropFirst().first?.subject
                == .counter(
                    CounterExpectation(
                        node: "backend-1", name: "Ip.InReceives", minus: "Ip.InDelivers", value: .init(.greater, 0))))
        let share = messages(text.replacing("50%", with: "half"))
        #expect(share.contains { $0.contains("'share' of 'lost' is 'half'") }, "\(share)")
        let node = messages(text.replacing("of: backend-1", with: "of: backend-2"))
        #expect(
            node.contains {
                $0.contains("'of' is 'backend-2', which is no node") && $0.contains("did you mean 'backend-1'")
            }, "\(node)")
    }
}
