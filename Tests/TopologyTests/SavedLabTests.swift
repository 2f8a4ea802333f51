import LabFile
import Testing
import Topology

@Suite("Lab files that runs save")
struct SavedLabTests {
    @Test(arguments: [
        "active-passive-internet-access", "direct-server-return", "direct-server-return-balancers",
        "fast-path-mac-failover", "intermittent-502", "ipv6-path-mtu", "load-balancer-hairpin",
    ])
    func `every variant of a shipped lab is saved as a file that reads back to it`(name: String) throws {
        let lab = try Lab(path: LabFiles.shipped(name))
        for variant in lab.variants {
            let document = try LabDocument(parsing: variant.resolvedYAML, path: "\(variant.name)/lab.yaml")
            let again = try Lab(document, isSaved: true).variants
            #expect(again.map(\.scenario) == [variant.scenario], "\(variant.name)")
            #expect(again.map(\.expectations) == [variant.expectations], "\(variant.name)")
            #expect(again.map(\.nodes) == [variant.nodes], "\(variant.name)")
        }
    }
}
