import Configuration
import LabTime
import Redundancy
import Testing
import Wire

@testable import Appliances

/// Sessions that somebody clears.
struct ClearSessionsTests {
    @Test func `a cleared session is gone at the peer too, and others stay`() throws {
        let lab = try FirewallLab()
        try lab.startBoth()
        lab.run(for: .milliseconds(500))
        for port in [4000, 4001] as [UInt16] { lab.connect(port) }
        lab.run(for: .milliseconds(500))
        let active = try #require((0..<2).first { lab.boxes[$0].firewall.role == .active })
        func known() -> [[Bool]] {
            [active, 1 - active].map { box in [4000, 4001].map { lab.knows(box, lab.flow($0)) } }
        }
        #expect(known() == [[true, true], [true, true]])
        let (flow, other) = (lab.flow(4000), IPAddress.ipv4(IPv4Address(203, 0, 113, 9)))
        for filter in [
            ConnectionFilter(protocol: .udp), ConnectionFilter(source: other), ConnectionFilter(destination: other),
            ConnectionFilter(destinationPort: flow.destinationPort &+ 1),
        ] { #expect(lab.perform(active, .clear(filter)) == .done) }
        #expect(known() == [[true, true], [true, true]])
        let meant = ConnectionFilter(
            protocol: .tcp, source: .ipv4(flow.source), destination: .ipv4(flow.destination),
            destinationPort: flow.destinationPort)
        #expect(lab.perform(active, .clear(meant)) == .done)
        lab.run(for: .milliseconds(500))
        #expect(known() == [[false, false], [false, false]])
    }
}
