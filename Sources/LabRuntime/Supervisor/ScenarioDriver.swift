internal import EventLoop
internal import LabTime
internal import Scenario

/// Gives a player its inputs and the time, one after the other, and has its orders carried out.
final class ScenarioDriver {
    private(set) var player: ScenarioPlayer
    private let loop: EventLoop
    private let carryOut: (ScenarioOrder) -> Void
    /// What came while orders of an earlier input were carried out.
    private var inputs: [ScenarioInput] = []
    private var isStepping = false
    private var timer: (at: Instant, timer: EventLoop.Timer)?

    /// - Parameter carryOut: may `feed`, which is answered by further calls after those of the present step
    init(_ player: ScenarioPlayer, on loop: EventLoop, carryOut: @escaping (ScenarioOrder) -> Void) {
        self.player = player
        self.loop = loop
        self.carryOut = carryOut
    }

    func feed(_ input: ScenarioInput) {
        inputs.append(input)
        guard !isStepping else { return }
        isStepping = true
        while !inputs.isEmpty {
            for order in player.step(inputs.removeFirst(), at: loop.now) { carryOut(order) }
        }
        isStepping = false
        setTimer()
    }

    private func setTimer() {
        guard timer?.at != player.deadline else { return }
        if let timer { loop.cancel(timer.timer) }
        timer = player.deadline.map { deadline in
            let timer = loop.schedule(at: deadline) { [unowned self] in
                self.timer = nil
                feed(.time)
            }
            return (deadline, timer)
        }
    }
}
