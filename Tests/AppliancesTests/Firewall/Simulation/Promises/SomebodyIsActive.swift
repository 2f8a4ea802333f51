import Appliances
import Dataplane
import LabTime
import VirtualNetwork

struct SomebodyIsActive: PairPromise {
    static let bound: Duration = .milliseconds(1500)
    /// Where nothing is lost and a box has received the other: the heartbeat's bound and grace, or the next advertisement
    /// overdue. VRRP alone would need 361 ms.
    static let faultlessBound: Duration = .milliseconds(300)

    let sentence = """
        while a box with a link runs, one is Active within \(SomebodyIsActive.bound), and where nothing is lost within \
        \(SomebodyIsActive.faultlessBound)
        """
    private var since: Instant?
    private var carriers = [[true, true, true], [true, true, true]]
    private var wasConnected = true
    private var carrierChangedAt: Instant?

    mutating func happened(_ what: PairHappening, _ pair: PairView) {
        guard case .linksChanged = what else { return }
        since = nil
        let carriers = pair.lab.boxes.map(\.carrier)
        guard carriers != self.carriers || pair.isConnected != wasConnected else { return }
        (self.carriers, wasConnected, carrierChangedAt) = (carriers, pair.isConnected, pair.now)
    }

    mutating func check(_ pair: inout PairView) -> String? {
        // With all its links down a box has nothing to be Active on.
        let canServe = pair.lab.boxes.contains { $0.isAlive && ($0.carrier[0] || $0.carrier[1]) }
        since = pair.forwarding.isEmpty && canServe ? since ?? pair.now : nil
        guard let since, pair.now - since > (isSettled(pair) ? Self.faultlessBound : Self.bound) else { return nil }
        return "nobody is Active for \(pair.now - since)"
    }

    /// Who has never received an Active, or has no cross-connect, or got it or another link back, waits for VRRP's own
    /// time.
    private func isSettled(_ pair: PairView) -> Bool {
        pair.lab.loss == 0 && pair.isConnected
            && pair.lab.boxes.contains { $0.isAlive && $0.firewall.hasSettled }
            && carrierChangedAt.map { pair.now - $0 > Self.bound } ?? true
            && !pair.lab.boxes.contains { $0.isAlive && $0.carrier.contains(false) }
    }
}
