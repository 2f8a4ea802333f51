internal import Appliances
internal import LabEvents
internal import Measurement
internal import Traffic

/// What runs in a node's process.
protocol NodeProgram: AnyObject {
    /// The captures are armed: it may send. Reports `ready` when its role is settled.
    func start() throws
    /// Every node of the lab is ready: health monitors begin. `then` is called when each has had a first answer.
    func startMonitors(then: @escaping () -> Void)
    func perform(_ command: ApplianceCommand) -> ApplianceReply
    /// - Parameter commands: starts those of a program of kind `command`
    func startTraffic(_ program: TrafficProgram, number: Int, commands: (any CommandStarter)?) throws
    func finishTraffic(_ name: String)
    var counters: [CounterReading] { get }
}

/// Boxes run no traffic programs, hosts take no commands: a lab that asks for it is refused before it is built.
extension NodeProgram {
    func startTraffic(_ program: TrafficProgram, number: Int, commands: (any CommandStarter)?) throws {
        throw LabFailure(.lab, "'\(program.name)' runs on a box; traffic starts at clients and backends")
    }

    func finishTraffic(_ name: String) {}

    func startMonitors(then: @escaping () -> Void) { then() }

    func perform(_ command: ApplianceCommand) -> ApplianceReply { .refused(reason: "this node is not a box") }

    var counters: [CounterReading] { [] }
}
