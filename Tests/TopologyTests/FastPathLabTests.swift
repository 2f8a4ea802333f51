import Configuration
import Expectation
import LabFile
import LabTime
import Measurement
import Testing
import Wire

@testable import Topology

/// The repository's own lab, read from its folder.
private func fastPathLab() throws -> Lab { try Lab(path: LabFiles.fastPath) }

@Suite struct `The fast-path lab` {
    @Test func `has each variant of the article with a switchover and with a power-off`() throws {
        let lab = try fastPathLab()
        #expect(lab.name == "fast-path-mac-failover")
        let names = [
            "tcp-fast-path", "udp-fast-path", "udp-per-packet", "tcp-proxy", "virtual-mac-tcp-fast-path",
            "virtual-mac-udp-fast-path",
        ]
        #expect(lab.variants.map(\.name).sorted() == (names + names.map { $0 + "-power-off" }).sorted())
        for variant in lab.variants {
            let isSymptom = !variant.name.hasPrefix("virtual-mac") && variant.name.contains("fast-path")
            #expect(variant.shows == (isSymptom ? .symptom : .remedy), "\(variant.name)")
            let faults = variant.scenario.compactMap {
                if case .fail(let fault, as: "failover") = $0 { fault } else { nil }
            }
            let fault: Fault =
                variant.name.hasSuffix("power-off") ? .powerOff(node: "fw-a") : .switchover(node: "fw-a")
            #expect(faults == [fault], "\(variant.name)")
            #expect(variant.shortestDuration <= .seconds(4))
        }
    }

    @Test func `joins three interfaces by a switch and two by a cable`() throws {
        let variant = try #require(try fastPathLab().variant(named: "tcp-fast-path"))
        #expect(variant.networks.map(\.name) == ["outside", "inside", "sync", "servers"])
        #expect(variant.networks.map(\.kind) == [.switch, .switch, .link, .link])
        #expect(variant.networks[0].attachments.map(\.port) == ["client", "fw-a", "fw-b"])
        #expect(variant.networks[2].attachments.map(\.port) == [nil, nil])
        #expect(variant.networks[2].subnet == IPv4Network("169.254.1.0/24"))
    }

    @Test func `gives the pair what either box says`() throws {
        let variant = try #require(try fastPathLab().variant(named: "tcp-fast-path"))
        guard let a = variant.node(named: "fw-a")?.role.firewall,
            let b = variant.node(named: "fw-b")?.role.firewall
        else { Issue.record("fw-a and fw-b are firewalls"); return }
        let first = try #require(a.redundancy)
        let second = try #require(b.redundancy)
        #expect(first.priority == 200 && second.priority == 100)
        #expect(!first.preempts && !second.preempts)
        #expect(!first.usesVirtualMAC && !second.usesVirtualMAC)
        #expect(first.virtualRouters == second.virtualRouters)
        #expect(first.virtualRouters.map(\.port) == ["outside", "inside"])
        #expect(first.virtualRouters.map(\.id) == [1, 2])
        #expect(first.virtualRouters.map(\.addresses) == [[IPv4Address(192, 0, 2, 1)], [IPv4Address(198, 51, 100, 1)]])
        #expect(first.crossConnect == CrossConnectConfiguration(port: "sync", peerAddress: IPv4Address(169, 254, 1, 2)))
        #expect(
            second.crossConnect == CrossConnectConfiguration(port: "sync", peerAddress: IPv4Address(169, 254, 1, 1)))
        #expect(first.advertisementInterval == .milliseconds(100))
    }

    @Test func `changes profile, traffic and virtual MAC by variant`() throws {
        let lab = try fastPathLab()
        func service(_ name: String) throws -> VirtualServiceConfiguration {
            let variant = try #require(lab.variant(named: name))
            guard let balancer = variant.node(named: "lb")?.role.loadBalancer else { throw CancellationError() }
            return try #require(balancer.services.first)
        }
        #expect(try service("tcp-fast-path").profile == .tcpFastPath)
        #expect(try service("udp-fast-path-power-off").profile == .udpFastPath)
        #expect(try service("udp-per-packet-power-off").profile == .udpPerPacket)
        #expect(try service("tcp-proxy").profile == .tcpProxy)
        #expect(
            try service("tcp-proxy").members == [
                PoolMemberConfiguration(name: "backend-1", address: IPv4Address(10, 0, 0, 11), port: 7)
            ])
        let virtual = try #require(lab.variant(named: "virtual-mac-udp-fast-path"))
        guard let box = virtual.node(named: "fw-b")?.role.firewall else {
            Issue.record("fw-b is a firewall"); return
        }
        #expect(box.redundancy?.usesVirtualMAC == true)
        #expect(virtual.traffic.map(\.kind) == [.udp, .udpRequest])
        #expect(virtual.traffic[0].flows == 4 && virtual.traffic[0].every == .milliseconds(10))
        #expect(virtual.traffic[1].target == .ipv4(IPv4Address(198, 51, 100, 100)) && virtual.traffic[1].port == 7)
        guard let backend = virtual.node(named: "backend-1")?.role.host else { Issue.record("a host"); return }
        #expect(backend.servers == [ServerProgram(kind: .udpEcho, port: 7)])
    }

    @Test func `resolves references in its expectations`() throws {
        let variant = try #require(try fastPathLab().variant(named: "tcp-fast-path"))
        let mac = try #require(variant.node(named: "fw-a")?.interface(named: "inside")?.mac)
        let expectation = try #require(variant.expectations.first { $0.id == "answers-still-go-to-mac-a" })
        #expect(
            expectation.subject
                == .frames(
                    FrameExpectation(
                        node: "lb", interface: "inside", flowsOf: "existing", direction: .toClient,
                        after: Anchor(event: "fw-b.active", offset: .milliseconds(250)),
                        requirement: .every([FieldCheck(field: "eth.dst", condition: .equals("\(mac)"))]))))
        let virtual = try #require(try fastPathLab().variant(named: "virtual-mac-tcp-fast-path"))
        let before = try #require(virtual.expectations.first { $0.id == "answers-go-to-the-virtual-mac" })
        guard let frames = before.subject.value as? FrameExpectation else { Issue.record("about frames"); return }
        #expect(frames.requirement == .every([FieldCheck(field: "eth.dst", condition: .equals("00:00:5e:00:01:02"))]))
    }

    @Test func `is the same after it was written out and read again, variant by variant`() throws {
        for variant in try fastPathLab().variants {
            let again = try Lab(parsing: variant.resolvedYAML, path: "lab.yaml")
            #expect(again.variants.count == 1)
            #expect(again.name == "fast-path-mac-failover")
            #expect(again.variants.first == variant, "\(variant.name)")
        }
    }
}
