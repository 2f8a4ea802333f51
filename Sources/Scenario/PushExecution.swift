internal import Appliances
internal import Configuration
internal import LabEvents
internal import Topology

/// A change of policies on its way to firewalls, in the order that its mode asks for: one order after the other, each
/// after the reply to the one before.
///
/// A box that refuses is no failure of the lab: its event (`fw-b.push-refused`) states the reason, and the scenario
/// goes on.
struct PushExecution: Hashable, Sendable {
    struct Request: Hashable, Sendable {
        var node: String
        var order: PolicyOrder
    }

    enum Output: Hashable, Sendable {
        case record(ScenarioEvent)
        /// Its reply is the next `step`.
        case ask(Request)
        case over
    }

    private enum Phase: Hashable, Sendable {
        /// Of a unit: its first box is asked whether it is the Active.
        case findingActive
        /// Of a unit: both boxes are asked whether they would take the change. Only then either activates it.
        case checking([Request], then: [Request])
        case activating([Request], done: [Request])
        case over
    }

    private let push: Push
    private var phase: Phase

    init(_ push: Push) {
        self.push = push
        phase =
            switch push.mode {
            case .unit: .findingActive
            case .boxes: .activating(push.parts.map { Request(node: $0.node, order: .push($0.change)) }, done: [])
            case .agreement: .activating(push.parts.map { Request(node: $0.node, order: .agree($0.change)) }, done: [])
            }
    }

    /// - Parameter isRunning: whether a box answers at all
    mutating func begin(isRunning: (String) -> Bool) -> [Output] { next(isRunning) }

    mutating func step(_ reply: ApplianceReply, isRunning: (String) -> Bool) -> [Output] {
        take(reply).map { .record($0) } + next(isRunning)
    }

    private var current: Request? {
        switch phase {
        case .findingActive: push.parts.first.map { Request(node: $0.node, order: .role) }
        case .checking(let requests, _), .activating(let requests, _): requests.first
        case .over: nil
        }
    }

    /// Up to the next request to a box that runs; one that does not run refuses.
    private mutating func next(_ isRunning: (String) -> Bool) -> [Output] {
        var outputs: [Output] = []
        while let request = current {
            guard !isRunning(request.node) else { return outputs + [.ask(request)] }
            let reason = "'\(request.node)' does not run"
            outputs.append(.record(Self.refused(request.node, reason)))
            outputs += take(.refused(reason: reason)).map { .record($0) }
        }
        return outputs + [.over]
    }

    private mutating func take(_ reply: ApplianceReply) -> [ScenarioEvent] {
        var refusal: String?
        if case .refused(let reason) = reply { refusal = reason }
        switch phase {
        case .findingActive:
            phase = if case .role(let isActive) = reply { checking(isFirstActive: isActive) } else { .over }
        case .checking(let requests, let activation):
            if let refusal {
                phase = .over
                // A box that is only asked reports nothing by itself.
                return [Self.refused(requests[0].node, refusal)]
            }
            let rest = Array(requests.dropFirst())
            phase = rest.isEmpty ? .activating(activation, done: []) : .checking(rest, then: activation)
        case .activating(let requests, let done):
            // What happens to other boxes matters to a unit alone.
            if let refusal, push.mode == .unit {
                phase = .over
                return done.isEmpty ? [] : [Self.incomplete(done, requests, refusal)]
            }
            phase = .activating(Array(requests.dropFirst()), done: done + requests.prefix(1))
        case .over: break
        }
        return []
    }

    /// Additions go to the standby first, deletions to the Active first.
    private func checking(isFirstActive: Bool) -> Phase {
        guard push.parts.count > 1 else { return .over }
        // The same change, but for addresses that are each box's own.
        let (active, standby) =
            isFirstActive ? (push.parts[0], push.parts[1]) : (push.parts[1], push.parts[0])
        func request(_ part: Push.Part, _ order: PolicyOrder) -> Request { Request(node: part.node, order: order) }
        var activation: [Request] = []
        if !active.change.additions.isEmpty {
            activation += [standby, active].map { request($0, .push($0.change.additions)) }
        }
        if !active.change.deletions.isEmpty {
            activation += [active, standby].map { request($0, .push($0.change.deletions)) }
        }
        return .checking([standby, active].map { request($0, .check($0.change)) }, then: activation)
    }

    private static func refused(_ node: String, _ reason: String) -> ScenarioEvent {
        ScenarioEvent(EventKind.pushRefused.name(of: node), .pushRefused, node: node, [.reason: reason])
    }

    /// A unit's push came to an end between two boxes. Nothing is taken back: a box that would not take a half may not
    /// take another one either, and what is right now only its operator knows.
    private static func incomplete(_ done: [Request], _ missing: [Request], _ reason: String) -> ScenarioEvent {
        func halves(_ requests: [Request]) -> String {
            requests.map { request in
                guard case .push(let half) = request.order else { return request.node }
                return "\(request.node): \(half.additions.isEmpty ? "deletions" : "additions")"
            }.joined(separator: ", ")
        }
        return ScenarioEvent(
            EventKind.pushIncomplete.name(of: missing[0].node), .pushIncomplete, node: missing[0].node,
            [.done: halves(done), .missing: halves(missing), .reason: reason])
    }
}
