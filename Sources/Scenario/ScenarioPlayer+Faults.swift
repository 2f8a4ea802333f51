internal import Appliances
internal import LabEvents
internal import LabTime
internal import Topology

/// Faults and pushes: of the scenario, and faults that a person asks for.
extension ScenarioPlayer {
    mutating func inject(_ fault: Fault, as name: String, at now: Instant) {
        do throws(ScenarioFailure) {
            let plan = try FaultPlan(fault, as: name, of: nodes, frameFaults)
            // The scenario waits for its end.
            if plan.actions.contains(where: \.takesTime) { events.waits() }
            carryOut(plan, .fault(plan), at: now)
        } catch {
            fail(error)
        }
    }

    /// Beside whatever the scenario does.
    mutating func request(_ number: Int, _ fault: Fault, as name: String?, at now: Instant) {
        do throws(ScenarioFailure) {
            let plan = try FaultPlan(fault, as: name, of: nodes, frameFaults)
            carryOut(plan, .request(number, plan), at: now)
        } catch {
            orders.append(.answer(request: number, error))
        }
    }

    /// The event comes first: what the node does about it lies after it on the lab's clock.
    private mutating func carryOut(_ plan: FaultPlan, _ purpose: PendingActions.Purpose, at now: Instant) {
        record(plan.event, at: now)
        perform(plan.actions, purpose, at: now)
    }

    private mutating func perform(_ actions: [NodeAction], _ purpose: PendingActions.Purpose, at now: Instant) {
        guard phase != .ended else { return }
        orders.append(.perform(actions, ticket: pending.add(purpose, actions, at: now)))
    }

    /// An outcome that comes too late is ignored.
    mutating func performed(_ ticket: Int, _ outcome: NodeOutcome, at now: Instant) {
        switch pending.remove(ticket) {
        case .fault(let plan):
            if let failure = plan.failure(outcome) { fail(failure) } else if phase == .acting { proceed(at: now) }
        case .request(let number, let plan):
            orders.append(.answer(request: number, plan.failure(outcome)))
        case .push:
            guard case .pushing(var push) = phase else { return }
            let outputs = push.step(outcome.asReply, isRunning: nodes.isRunning)
            follow(push, outputs, at: now)
        case nil: break
        }
    }

    // MARK: Pushes

    mutating func begin(_ push: Push, as name: String, at now: Instant) {
        let details: EventDetails = [.mode: push.mode.rawValue, .what: push.description]
        record(ScenarioEvent(name, .push, node: push.parts[0].node, details), at: now)
        var execution = PushExecution(push)
        let outputs = execution.begin(isRunning: nodes.isRunning)
        follow(execution, outputs, at: now)
    }

    private mutating func follow(_ push: PushExecution, _ outputs: [PushExecution.Output], at now: Instant) {
        phase = .pushing(push)
        for output in outputs {
            switch output {
            case .record(let event): record(event, at: now)
            case .ask(let request):
                perform([.command(.policy(request.order), node: request.node)], .push, at: now)
            case .over: proceed(at: now)
            }
        }
    }
}

extension NodeOutcome {
    /// Of a command, which has one where it was sent.
    fileprivate var asReply: ApplianceReply {
        switch self {
        case .done: .done
        case .reply(let reply): reply
        case .failed(let failure): .refused(reason: failure.message)
        }
    }
}

extension FaultPlan {
    /// Why it did not happen; nil where it did.
    fileprivate func failure(_ outcome: NodeOutcome) -> ScenarioFailure? {
        switch outcome {
        case .done: nil
        case .reply(.refused(let reason)): ScenarioFailure(.lab, "\(subject): \(reason)")
        case .reply: nil
        case .failed(let failure): failure
        }
    }
}
