import Appliances
import LabTime
import Redundancy
import Testing
import VirtualNetwork
import Wire

/// After a split brain the last announcement is the winner's, whoever of the two hears the other first.
struct LastAnnouncementTests {
    @Test(arguments: 0..<20)
    func `neighbours send to the winner again, at whatever moment the two reach each other`(phase: Int) throws {
        let lab = try FirewallLab()
        try lab.startBoth()
        lab.run(for: .milliseconds(300))
        #expect(lab.client.gatewayMAC == FirewallLab.mac(0, FirewallLab.outside))
        lab.isApart = [true, true, true]
        // Longer than the loser's announcements last.
        lab.run(for: .seconds(2))
        #expect(lab.boxes.allSatisfy { $0.firewall.role == .active })
        #expect(lab.client.gatewayMAC == FirewallLab.mac(1, FirewallLab.outside))
        #expect(lab.server.gatewayMAC == FirewallLab.mac(1, FirewallLab.inside))
        lab.run(for: .milliseconds(7) * phase)
        lab.isApart = [false, false, false]
        lab.run(for: .milliseconds(400))
        #expect(lab.boxes[0].firewall.role == .active && lab.boxes[1].firewall.role == .backup)
        #expect(lab.client.gatewayMAC == FirewallLab.mac(0, FirewallLab.outside))
        #expect(lab.server.gatewayMAC == FirewallLab.mac(0, FirewallLab.inside))
    }
}
