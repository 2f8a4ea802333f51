import Appliances
import Dataplane
import LabEvents
import LabFile
import TestSupport
import Testing
import Topology
import Wire

/// The reference's tables of events and counters are the declarations, and the README's table of labs is the catalogue.
struct ReferenceTableTests {
    private static let tables: [(mark: String, text: String)] = [
        ("events", ReferenceTables.events),
        (
            "counters",
            ReferenceTables.counters(reasons: [
                (.drop, DropReason.allCases.map(\.counterWords)),
                (.vrrpDiscarded, WireError.Reason.allCases.map(\.counterWords)),
                (.syncDiscarded, WireError.Reason.allCases.map(\.counterWords)),
                (.sessionsOfApplication, Application.allCases.map { [.application: $0.name] }),
                (.httpFailed, httpReasons.map { [.service: "<service>", .reason: $0] }),
            ])
        ),
    ]

    private static var httpReasons: [String] {
        HTTPErrorReason.allCases.map(\.rawValue) + MessageFault.allCases.map(\.rawValue)
    }

    /// One row for each lab of the catalogue, from its file.
    private static func labs() throws -> String {
        let rows = try LabCatalogue(folder: Package.root + "/Labs").entries.map { entry in
            let lab = try Lab(path: entry.path)
            let played = lab.variants.filter { !$0.isOnRequest }
            let symptoms = played.count { $0.shows == .symptom }
            let remedies = played.count { $0.shows == .remedy }
            let name = entry.name.split(separator: "/").last ?? ""
            return "| [`\(name)`](Labs/\(entry.name)/README.md) | \(lab.title) | \(symptoms) | \(remedies) "
                + "| \(lab.reference ?? "") |"
        }
        return (["| lab | shows | symptoms | remedies | reference |", "|---|---|---|---|---|"] + rows)
            .joined(separator: "\n")
    }

    @Test(arguments: ["events", "counters"])
    func `the reference has the table of`(mark: String) throws {
        try ReferencePage(mark).check(try #require(Self.tables.first { $0.mark == mark }).text)
    }

    @Test func `the README has the table of labs`() throws {
        try ReferencePage("labs").check(try Self.labs())
    }
}
