import Testing

@testable import Topology

@Suite struct `The plan of a lab` {
    private static func plan(_ name: String) throws -> Plan {
        Plan(for: try #require(try Lab(path: LabFiles.fastPath).variant(named: name)))
    }

    @Test func `has two namespaces for a box, one for a host and one for a switch`() throws {
        let plan = try Self.plan("tcp-fast-path")
        #expect(
            plan.namespaces.map(\.id.description) == [
                "client", "fw-a", "fw-a:wire", "fw-b", "fw-b:wire", "lb", "lb:wire", "backend-1", "outside", "inside",
            ])
        #expect(plan.links.count == 16)
    }

    @Test func `is the same each time`() throws {
        #expect(try Self.plan("udp-fast-path") == Self.plan("udp-fast-path"))
    }

    @Test func `gives the wire side no address, and its ports the lab's names and MACs`() throws {
        let plan = try Self.plan("tcp-fast-path")
        let wire = try #require(plan.namespaces.first { $0.id == .wire("fw-a") })
        let actions = wire.configuration.map(\.action)
        #expect(actions == ["outside", "inside", "sync", "host0", "host1", "host2"].map { .bringUp(interface: $0) })
        #expect(
            wire.preparation.map(\.action) == [
                .createNamespace, .set(Sysctl("net/ipv6/conf/all/disable_ipv6", "1")),
                .set(Sysctl("net/ipv6/conf/default/disable_ipv6", "1")),
            ])
        let links = plan.links.compactMap { if case .createLink(let link) = $0.action { link } else { nil } }
        let ends = links.flatMap { [$0.a, $0.b] }
        let inside = ends.filter { $0.name == "inside" && $0.namespace.node == "fw-a" }
        #expect(inside.map(\.namespace) == [.host("fw-a"), .wire("fw-a")])
        #expect(inside[0].mac == inside[1].mac)
        #expect(Set(ends.map { "\($0.namespace)/\($0.name)" }).count == ends.count)
    }

    @Test func `configures only what exists by then`() throws {
        for variant in try Lab(path: LabFiles.fastPath).variants {
            var namespaces: Set<NamespaceID> = []
            var interfaces: [NamespaceID: Set<String>] = [:]
            var up: [NamespaceID: Set<String>] = [:]
            for step in Plan(for: variant).steps {
                switch step.action {
                case .createNamespace:
                    #expect(namespaces.insert(step.namespace).inserted)
                    interfaces[step.namespace] = ["lo"]
                case .set: #expect(namespaces.contains(step.namespace))
                case .createLink(let link):
                    for end in [link.a, link.b] {
                        #expect(namespaces.contains(end.namespace))
                        #expect(interfaces[end.namespace]?.insert(end.name).inserted == true)
                        #expect(end.name.utf8.count <= 15)
                    }
                case .createBridge(let name): #expect(interfaces[step.namespace]?.insert(name).inserted == true)
                case .attach(let port, let bridge):
                    #expect(interfaces[step.namespace]?.isSuperset(of: [port, bridge]) == true)
                case .addAddress(_, let interface): #expect(interfaces[step.namespace]?.contains(interface) == true)
                case .bringUp(let interface):
                    #expect(interfaces[step.namespace]?.contains(interface) == true)
                    up[step.namespace, default: []].insert(interface)
                case .addRoute, .addTableRoute, .rule: #expect(up[step.namespace] != nil)
                }
                #expect(!step.reason.isEmpty)
            }
            // Every interface is up in the end; a namespace without addresses needs no lo.
            for (namespace, names) in interfaces {
                #expect(names.subtracting(up[namespace] ?? []).subtracting(["lo"]).isEmpty)
            }
        }
    }

    @Test func `lets the host side of a proxy accept what comes to the virtual service`() throws {
        let proxy = try Self.plan("tcp-proxy").steps.map(\.description)
        #expect(
            proxy.contains("lb: address 198.51.100.100/32 on inside (the proxy of virtual service echo listens on it)"))
        #expect(try Self.plan("tcp-fast-path").steps.allSatisfy { !$0.description.contains("198.51.100.100") })
        #expect(proxy.contains("lb: route 0.0.0.0/0 via 198.51.100.1 (the gateway of the lab file)"))
    }
}
