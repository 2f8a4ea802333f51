import Configuration
import Dataplane
import Redundancy
import Testing
import Wire

@testable import Appliances

struct PolicyChangeTests {
    static let office = PolicyObject(name: "office", networks: [IPv4Network("10.0.0.0/24")!])
    static let web = PolicyRule(
        name: "web", action: .allow, ingress: "inside", sources: [.object("office")], protocol: .tcp,
        destinationPorts: 80...80)
    static let policy = PolicyConfiguration(objects: [office], rules: [web], otherwise: .deny)

    @Test func `rules are added at the end or before another, and deleted by name`() throws {
        let added = try Self.policy.applying(
            PolicyChange(addedRules: [
                .init(PolicyRule(name: "last", action: .deny)),
                .init(PolicyRule(name: "first", action: .allow), before: "web"),
            ]))
        #expect(added.rules.map(\.name) == ["first", "web", "last"])
        let deleted = try added.applying(PolicyChange(deletedRules: ["web"], deletedObjects: ["office"]))
        #expect(deleted.rules.map(\.name) == ["first", "last"] && deleted.objects.isEmpty)
    }

    @Test(arguments: [
        (PolicyChange(addedRules: [.init(web)]), "there is a rule 'web' already; delete it in a push before"),
        (PolicyChange(addedObjects: [office]), "there is an object 'office' already; delete it in a push before"),
        (PolicyChange(deletedObjects: ["office"]), "rule 'web' needs the object 'office'; there are no objects"),
        (PolicyChange(deletedRules: ["wbe"]), "there is no rule 'wbe' to delete; the rules are web"),
        (PolicyChange(deletedObjects: ["ofice"]), "there is no object 'ofice' to delete; the objects are office"),
        (
            PolicyChange(addedRules: [.init(PolicyRule(name: "a", action: .deny), before: "b")]),
            "rule 'a' is to come before 'b', which is no rule here; the rules are web"
        ),
        (
            PolicyChange(addedRules: [.init(PolicyRule(name: "a", action: .deny, sources: [.object("servers")]))]),
            "rule 'a' needs the object 'servers'; the objects are office"
        ),
    ])
    func `a change that does not fit is refused whole, with the reason`(change: PolicyChange, reason: String) {
        #expect(throws: ConfigurationError(reason)) { try Self.policy.applying(change) }
    }

    @Test func `two rules whose numbers meet are refused`() {
        var names: [RuleIdentity: String] = [:]
        var pair: (String, String)?
        for number in 0... {
            if let other = names.updateValue("rule-\(number)", forKey: RuleIdentity(naming: "rule-\(number)")) {
                pair = (other, "rule-\(number)")
                break
            }
        }
        let policy = PolicyConfiguration(rules: [pair!.0, pair!.1].map { PolicyRule(name: $0, action: .allow) })
        #expect(throws: ConfigurationError.self) { try policy.check() }
    }

    @Test func `a rule on a port that the box lacks is refused`() {
        #expect(throws: ConfigurationError("rule 'web' is on 'inside'; the ports of fw are outside")) {
            try Self.policy.compiled(for: ["outside"], of: "fw")
        }
    }

    /// Everything that two boxes must have alike changes the digest; nothing else does.
    @Test func `items tell any two different policies apart`() throws {
        let changes: [(inout PolicyConfiguration) -> Void] = [
            { $0.otherwise = .allow }, { $0.rules[0].action = .deny }, { $0.rules[0].ingress = nil },
            { $0.rules[0].sources = [] }, { $0.rules[0].destinations = $0.rules[0].sources },
            { $0.rules[0].protocol = .udp }, { $0.rules[0].destinationPorts = 80...81 },
            { $0.objects[0].networks.append(IPv4Network("10.0.1.0/24")!) }, { $0.objects[0].name = "ofice" },
            { $0.rules.append(PolicyRule(name: "b", action: .deny)) },
            { $0.rules.insert(PolicyRule(name: "b", action: .deny), at: 0) },
        ]
        var digests = [ConfigurationDigest.of(Self.policy.items)]
        for change in changes {
            var policy = Self.policy
            change(&policy)
            digests.append(ConfigurationDigest.of(policy.items))
        }
        #expect(Set(digests).count == digests.count)
        #expect(ConfigurationDigest.of(Self.policy.items) == digests[0])
    }
}
