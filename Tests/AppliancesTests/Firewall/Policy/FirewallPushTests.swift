import Configuration
import Dataplane
import LabEvents
import LabTime
import Testing
import VirtualNetwork
import Wire

@testable import Appliances

/// Pushes to a pair of real firewalls over a simulated cross-connect.
struct FirewallPushTests {
    static let open = PolicyChange(addedRules: [.init(PolicyRule(name: "web", action: .allow, protocol: .tcp))])
    static let typo = PolicyChange(addedRules: [.init(PolicyRule(name: "wbe", action: .allow, protocol: .tcp))])

    private func pair() throws -> FirewallLab {
        let lab = try FirewallLab()
        try lab.startBoth()
        lab.run(for: .milliseconds(500))
        return lab
    }

    private func rules(_ lab: FirewallLab) -> [[String]] {
        lab.boxes.map { $0.firewall.filter.policy.rules.map(\.name) }
    }

    @Test func `a push to one box concerns that box alone, and the peer tells that they differ`() throws {
        let lab = try pair()
        #expect(lab.perform(1, .policy(.push(Self.open))) == .done)
        lab.run(for: .milliseconds(500))
        #expect(rules(lab) == [[], ["web"]])
        #expect(lab.boxes[0].events.contains { $0.kind == .configurationDiffers })
        #expect(lab.perform(0, .policy(.push(Self.open))) == .done)
        #expect(rules(lab) == [["web"], ["web"]])
    }

    @Test func `with agreement both boxes activate the same change`() throws {
        let lab = try pair()
        for box in 0..<2 { #expect(lab.perform(box, .policy(.agree(Self.open))) == .done) }
        lab.run(for: .milliseconds(500))
        #expect(rules(lab) == [["web"], ["web"]])
        for box in lab.boxes { #expect(box.events.filter { $0.kind == .pushDone }.count == 1) }
    }

    @Test func `a mismatch blocks both, and both say what differs`() throws {
        let lab = try pair()
        #expect(lab.perform(0, .policy(.agree(Self.open))) == .done)
        #expect(lab.perform(1, .policy(.agree(Self.typo))) == .done)
        lab.run(for: .milliseconds(500))
        #expect(rules(lab) == [[], []])
        let told = lab.boxes.map { $0.events.first { $0.kind == .pushBlocked }?.details[.differences] }
        #expect(
            told == [
                "rule 'web' is missing on fw-b; the order of the rules differs; rule 'wbe' is missing on fw-a",
                "rule 'wbe' is missing on fw-a; the order of the rules differs; rule 'web' is missing on fw-b",
            ])
        // The next push is not in its way.
        for box in 0..<2 { #expect(lab.perform(box, .policy(.agree(Self.open))) == .done) }
        lab.run(for: .milliseconds(500))
        #expect(rules(lab) == [["web"], ["web"]])
    }

    @Test func `a change that does not fit is refused whole and told`() throws {
        let lab = try pair()
        let change = PolicyChange(
            addedRules: [.init(PolicyRule(name: "new", action: .deny))], deletedRules: ["nothing"])
        let refusal = ApplianceReply.refused(reason: "there is no rule 'nothing' to delete; the rules are new")
        #expect(lab.perform(0, .policy(.push(change))) == refusal)
        #expect(rules(lab) == [[], []])
        lab.run(for: .milliseconds(1))
        #expect(lab.boxes[0].events.last?.kind == .pushRefused)
        #expect(lab.perform(0, .policy(.check(change))) == refusal)
        #expect(lab.perform(0, .policy(.role)) == .role(isActive: true))
        #expect(lab.perform(1, .policy(.role)) == .role(isActive: false))
    }

    @Test func `the Backup that lost its peer goes on to what both agreed on, and the peer follows`() throws {
        let lab = try pair()
        for box in 0..<2 { _ = lab.perform(box, .policy(.agree(Self.open))) }
        // Until the Backup has the addition and the Active has not heard of it.
        while rules(lab) == [[], []] { lab.run(for: .microseconds(10)) }
        #expect(rules(lab) == [[], ["web"]])
        lab.isUp[FirewallLab.crossConnect] = false
        lab.run(for: .seconds(1))
        #expect(rules(lab)[1] == ["web"])
        lab.isUp[FirewallLab.crossConnect] = true
        lab.run(for: .seconds(2))
        #expect(rules(lab) == [["web"], ["web"]])
    }
}
