import LabEvents
import LabTime
import Redundancy
import Testing
import Wire

/// A record of two Actives is closed by whatever ends it.
struct DualActiveTests {
    enum Path: String, CaseIterable {
        case switchover, linkLost, trackedLinkLost, yieldsToHeartbeat, yieldsToAdvertisement, shutDown, peerYields
        case peerSilent, crossConnectCut, hungAndOverruled
    }

    private static let start = Instant(nanoseconds: 1_000_000_000)

    private func statement(
        _ sequence: UInt64, _ role: VirtualRouter.State = .active, priority: UInt8 = 100
    ) -> PairStatement {
        PairStatement(epoch: 7, sequence: sequence, role: role, priority: priority, flags: .knowsSessions)
    }

    /// An Active of priority 200 that hears an Active of priority 100.
    private func dual(tracks: Bool) -> Election {
        var settings = ElectionSettings(
            priority: 200, preempts: false, advertisementInterval: .milliseconds(100),
            heartbeat: PairSimulation.heartbeat,
            routerAddresses: [IPv4Address(192, 0, 2, 2), IPv4Address(198, 51, 100, 2)],
            ownAddress: IPv4Address(10, 0, 0, 2), peerAddress: IPv4Address(10, 0, 0, 3))
        if tracks { settings.decrements = [150] }
        var election = Election(settings)
        election.start(at: Self.start)
        election.receive(
            PairStatement(epoch: 7, sequence: 1, role: .backup, priority: 100, flags: []), at: Self.start)
        election.receive(statement(2), at: Self.start + .milliseconds(10))
        return election
    }

    @Test(arguments: Path.allCases)
    func `the record of two Actives ends with the role, the rival or its word, and is reported once`(path: Path) {
        var election = dual(tracks: path == .trackedLinkLost)
        #expect(election.role == .active && election.dualActiveSince != nil)
        _ = election.takeActions()
        var now = Self.start + .milliseconds(20)
        let leaves: Bool
        switch path {
        case .switchover:
            let refusal = election.switchOver(at: now)
            #expect(refusal == nil)
            leaves = true
        case .linkLost:
            election.carrier(ofRouter: 0, named: "inside", isUp: false, at: now)
            leaves = true
        case .trackedLinkLost:
            election.trackedLink(0, isUp: false, at: now)
            election.trackedLinkChanged(named: "uplink", isUp: false, at: now)
            leaves = true
        case .yieldsToHeartbeat:
            election.receive(statement(3, priority: 250), at: now)
            leaves = true
        case .yieldsToAdvertisement:
            election.receive(
                Advertisement(priority: 250, interval: .milliseconds(100), source: IPv4Address(192, 0, 2, 3)), on: 0,
                at: now)
            leaves = true
        case .shutDown:
            election.shutDown(at: now)
            leaves = true
        case .peerYields:
            election.receive(statement(3, .backup), at: now)
            leaves = false
        case .peerSilent, .crossConnectCut:
            if path == .crossConnectCut { election.crossConnectCarrier(isUp: false, at: now) }
            // Nothing of a rival for three advertisements.
            for _ in 0..<50 {
                now = now + .milliseconds(10)
                election.advance(to: now)
            }
            leaves = false
        case .hungAndOverruled:
            // The box did not run; its peer, meanwhile of the better claim, is heard first.
            now = now + .seconds(30)
            election.receive(statement(2000, priority: 250), at: now)
            leaves = true
        }
        #expect(election.role == (leaves ? path == .shutDown ? .initialize : .backup : .active))
        #expect(election.dualActiveSince == nil)
        #expect(Self.ends(&election) == 1)
        // A minute later nothing is left to report.
        guard path != .shutDown else { return }
        for step in 1...6 {
            now = now + .seconds(10)
            election.receive(statement(UInt64(3000 + step), leaves ? .active : .backup), at: now)
            election.advance(to: now)
        }
        #expect(Self.ends(&election) == 0)
    }

    private static func ends(_ election: inout Election) -> Int {
        election.takeActions().count {
            if case .report(.dualActiveOver, _) = $0 { true } else { false }
        }
    }
}
