package import Appliances
package import Impairment
package import LabEvents
package import Topology

/// What a scenario learns: what happened in the lab, and what became of its orders.
package enum ScenarioInput: Hashable, Sendable {
    /// The lab is up: the scenario begins. Once.
    case play(ScenarioLimits)
    /// A node reports from now on when the machine keeps it from running.
    case watchesDelays(node: String)
    /// An event of that name was recorded which the player did not order: a node reported it.
    case event(String)
    /// A node was powered off or on, stopped or resumed; before the `performed` of the order that did it.
    case condition(node: String, NodeCondition)
    /// A node's process died, or cannot do its work.
    case failed(ScenarioFailure)
    /// The outcome of `perform`.
    case performed(ticket: Int, NodeOutcome)
    /// Nothing of the program is outstanding any more.
    case trafficFinished(name: String)
    /// - Parameter problem: why counters of the node's programs are missing
    case counters(node: String, [CounterReading], problem: String? = nil)
    case capturesComplete
    /// A person asks for a fault; answered with `answer` of the same number. `as` is the event's name; nil for the
    /// fault's own word.
    case request(Int, Fault, as: String?)
    /// A person installed a fault on single frames.
    case installed(FaultRule, element: String)
    /// The deadline has come, or any other time has.
    case time
    /// The lab ends for a reason that is not the scenario's.
    case stopped
}

/// How long a lab of its size may take, beside the timeouts that the scenario states.
package struct ScenarioLimits: Hashable, Sendable {
    /// Until every node watches for delays.
    package var preparation: Duration
    /// Until the counters of every node are read.
    package var counters: Duration
    /// Until the captures are complete.
    package var captures: Duration

    package init(preparation: Duration, counters: Duration, captures: Duration) {
        self.preparation = preparation
        self.counters = counters
        self.captures = captures
    }
}

/// Whether a node runs.
package enum NodeCondition: Hashable, Sendable {
    case running
    /// Its process is stopped.
    case hung
    case poweredOff
}

package enum NodeOutcome: Hashable, Sendable {
    /// Every action is carried out; none of them has a reply.
    case done
    /// Of the last action.
    case reply(ApplianceReply)
    /// An action could not be carried out; those after it were not.
    case failed(ScenarioFailure)
}
