internal import Appliances
internal import Configuration
internal import EventLoop
internal import Evidence
internal import LabEvents
internal import LabTime
internal import Topology

/// Pushes changes of policies to firewalls, in the order that a mode asks for.
///
/// A box that refuses is no failure of the lab: its event (`fw-b.push-refused`) says why, and the scenario goes on.
extension Supervisor {
    func carryOut(_ push: Push, name: String, then: @escaping (LabFailure?) -> Void) {
        record(
            LabEvent(
                name: name, time: .now(), kind: .push, node: push.parts[0].node,
                details: [.mode: push.mode.rawValue, .what: push.description]))
        switch push.mode {
        case .boxes:
            tell(push.parts.map { ($0.node, .push($0.change)) }, stopsAtRefusal: false, then: then)
        case .agreement:
            tell(push.parts.map { ($0.node, .agree($0.change)) }, stopsAtRefusal: false, then: then)
        case .unit:
            pushAsUnit(push, then: then)
        }
    }

    /// Asks who is Active, then whether both boxes would take it, and only then activates it on either.
    private func pushAsUnit(_ push: Push, then: @escaping (LabFailure?) -> Void) {
        let boxes = push.parts.map(\.node)
        // The same change, but for addresses that are each box's own.
        let changes = Dictionary(uniqueKeysWithValues: push.parts.map { ($0.node, $0.change) })
        ask(.role, of: boxes[0]) { [unowned self] reply in
            guard case .role(let isActive) = reply else { return then(nil) }
            let (active, standby) = isActive ? (boxes[0], boxes[1]) : (boxes[1], boxes[0])
            guard let standbys = changes[standby], let actives = changes[active] else { return then(nil) }
            tell([(standby, .check(standbys)), (active, .check(actives))], stopsAtRefusal: true) {
                [unowned self] failure in
                guard failure == nil else { return then(failure) }
                var steps: [(String, PolicyOrder)] = []
                if !actives.additions.isEmpty {
                    steps += [(standby, .push(standbys.additions)), (active, .push(actives.additions))]
                }
                if !actives.deletions.isEmpty {
                    steps += [(active, .push(actives.deletions)), (standby, .push(standbys.deletions))]
                }
                tell(steps, stopsAtRefusal: true, then: then)
            }
        }
    }

    /// One order after the other, each after the answer to the one before.
    /// - Parameter done: those that came before
    private func tell(
        _ orders: [(node: String, order: PolicyOrder)], after done: [(node: String, order: PolicyOrder)] = [],
        stopsAtRefusal: Bool, then: @escaping (LabFailure?) -> Void
    ) {
        guard let first = orders.first else { return then(nil) }
        ask(first.order, of: first.node) { [unowned self] reply in
            if case .refused(let reason) = reply, stopsAtRefusal {
                // A box that is only asked tells nothing by itself.
                if case .check = first.order {
                    record(
                        LabEvent(
                            name: EventKind.pushRefused.name(of: first.node), time: .now(), kind: .pushRefused,
                            node: first.node,
                            details: [.reason: reason]))
                } else if !done.isEmpty {
                    tellIncomplete(done, orders, reason)
                }
                return then(nil)
            }
            tell(Array(orders.dropFirst()), after: done + [first], stopsAtRefusal: stopsAtRefusal, then: then)
        }
    }

    /// A unit's push came to an end between two boxes. Nothing is taken back: a box that would not take a half may not
    /// take another one either, and what is right now only its operator knows.
    private func tellIncomplete(
        _ done: [(node: String, order: PolicyOrder)], _ missing: [(node: String, order: PolicyOrder)], _ reason: String
    ) {
        func words(_ orders: [(node: String, order: PolicyOrder)]) -> String {
            orders.map { node, order in
                guard case .push(let half) = order else { return node }
                return "\(node): \(half.additions.isEmpty ? "deletions" : "additions")"
            }.joined(separator: ", ")
        }
        record(
            LabEvent(
                name: EventKind.pushIncomplete.name(of: missing[0].node), time: .now(), kind: .pushIncomplete,
                node: missing[0].node,
                details: [.done: words(done), .missing: words(missing), .reason: reason]))
    }

    private func ask(_ order: PolicyOrder, of name: String, then: @escaping (ApplianceReply) -> Void) {
        guard let running = nodes[name] else { return then(.refused(reason: "there is no node '\(name)'")) }
        guard running.state != .poweredOff, running.state != .hung else {
            record(
                LabEvent(
                    name: EventKind.pushRefused.name(of: name), time: .now(), kind: .pushRefused, node: name,
                    details: [.reason: "'\(name)' does not run"]))
            return then(.refused(reason: "'\(name)' does not run"))
        }
        self.order(.policy(order), of: running, then: then)
    }
}
