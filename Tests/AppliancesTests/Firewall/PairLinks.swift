import Impairment
import LabTime
import VirtualNetwork

/// What the networks of a pair are like: outside, inside, cross-connect.
struct PairLinks: Hashable, Codable {
    /// In thousandths, on networks that are lossy. Copies are made of frames in regular distances.
    var loss = 0
    var duplication = 0
    /// In microseconds, of each frame by itself. A copy comes half of the range after its frame.
    var delay: ClosedRange<Int> = 20...20
    /// Networks with loss, duplication and delay; on others each frame takes 20 µs.
    var isLossy = [false, false, true]
    var isUp = [true, true, true]
    /// Networks on which the boxes do not reach each other, while each still reaches the hosts.
    var isApart = [false, false, false]
}

extension FirewallLab {
    var loss: Int {
        get { links.loss }
        set { links.loss = newValue }
    }
    var duplication: Int {
        get { links.duplication }
        set { links.duplication = newValue }
    }
    var delay: ClosedRange<Int> {
        get { links.delay }
        set { links.delay = newValue }
    }
    var isUp: [Bool] {
        get { links.isUp }
        set { links.isUp = newValue }
    }
    var isApart: [Bool] {
        get { links.isApart }
        set { links.isApart = newValue }
    }
    /// Whether unicast frames go to the station that the address was last seen at, and to nobody else.
    var isSwitched: Bool {
        get { hubs.allSatisfy(\.learns) }
        set { for hub in hubs { hub.learns = newValue } }
    }

    func linksChanged(from old: PairLinks) {
        for (number, hub) in hubs.enumerated() {
            hub.isUp = links.isUp[number]
            hub.setSeparated(boxes[0], boxes[1], links.isApart[number])
        }
        var (same, new) = (old, links)
        (same.isUp, same.isApart) = ([], [])
        (new.isUp, new.isApart) = ([], [])
        if same != new { installRules() }
    }

    /// The rules of each cable, towards its station. What is on its way arrives as it would have.
    func installRules() {
        for (number, hub) in hubs.enumerated() {
            for cable in hub.cables {
                for rule in rules(of: number) { cable.install(rule) }
            }
        }
    }

    private func rules(of number: Int) -> [FaultRule] {
        let isLossy = links.isLossy[number]
        let delay = isLossy ? links.delay : 20...20
        let spread = delay.upperBound - delay.lowerBound
        let time: DelayDistribution =
            spread == 0
            ? .fixed(.microseconds(delay.lowerBound))
            : .uniform(from: .microseconds(delay.lowerBound), to: .microseconds(delay.upperBound))
        let copied = FrameSelection(
            direction: .fromNear, occurrence: .everyNth(1000 / min(1000, max(1, links.duplication))))
        return [
            network.rule(
                "loss", .lose(Loss(rate: Double(links.loss) / 1000)), FrameSelection(direction: .fromNear),
                isArmed: isLossy && links.loss > 0),
            network.rule(
                "copies", .duplicate(Duplication(gap: .microseconds(spread / 2))), copied,
                isArmed: isLossy && links.duplication > 0),
            network.rule("delay", .delay(Delay(time)), FrameSelection(direction: .fromNear)),
        ]
    }

    /// What is on its way to a box on a network is lost.
    func loseFrames(to box: Int, on network: Int) { hubs[network].cable(of: boxes[box])?.loseFrames() }
}
