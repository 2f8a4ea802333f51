import Appliances
import Dataplane
import LabEvents
import Testing
import Wire

/// The reference's tables of events and counters are the declarations.
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

    @Test(arguments: ["events", "counters"])
    func `the reference has the table of`(mark: String) throws {
        try ReferencePage(mark).check(try #require(Self.tables.first { $0.mark == mark }).text)
    }
}
