internal import Appliances
internal import Configuration
internal import EventLoop
internal import Evidence
internal import LabTime
internal import Topology

/// What a scenario, or a person with `failoverlab fail`, does to a running lab.
extension Supervisor {
    /// Injects a fault and records its event.
    /// - Parameters:
    ///   - name: the event's name; nil for the fault's own word
    ///   - then: called when the fault has happened, or with the reason why it could not
    func inject(_ fault: Fault, name: String?, then: @escaping (LabFailure?) -> Void) {
        if let rule = fault.rule { return instruct(fault, about: rule, name: name, then: then) }
        guard let running = nodes[fault.node] else {
            return then(unknown("node", fault.node, among: nodes.keys.sorted()))
        }
        func record() {
            self.record(
                LabEvent(
                    name: name ?? fault.kind.rawValue, time: .now(), kind: fault.kind.event, node: fault.node,
                    details: fault.details))
        }
        do {
            // Before the event: nothing happens to an interface that is not there.
            if let interface = fault.interface, running.node.interface(named: interface.interface) == nil {
                let known = running.node.interfaces.map { "\(running.node.name).\($0.name)" }
                throw unknown("interface", "\(interface)", among: known)
            }
            switch fault {
            case .switchover:
                guard running.state != .poweredOff else { throw refusal(fault, "is powered off") }
                guard running.state != .hung else { throw refusal(fault, "hangs") }
                // The event comes first: what the box does about it lies after it on the lab's clock.
                record()
                order(.switchover, of: running) { reply in
                    if case .refused(let reason) = reply {
                        then(LabFailure(.lab, "\(fault.node): \(reason)"))
                    } else {
                        then(nil)
                    }
                }
            case .powerOff:
                guard running.state != .poweredOff else { throw refusal(fault, "is powered off already") }
                record()
                // A box first: it would see its links go one after the other and still hand over. A host's links
                // first: its kernel would still say good-bye to its connections.
                if running.node.hasWireSide { running.kill() }
                try network.setLinks(of: running.node, up: false)
                if !running.node.hasWireSide { running.kill() }
                then(nil)
            case .powerOn:
                guard running.state == .poweredOff else { throw refusal(fault, "is not powered off") }
                record()
                try network.setLinks(of: running.node, up: true)
                try start(running)
                then(nil)
            case .linkDown(let reference):
                record()
                try network.setLink(reference.interface, of: reference.node, up: false)
                then(nil)
            case .linkUp(let reference):
                record()
                try network.setLink(reference.interface, of: reference.node, up: true)
                then(nil)
            case .hang:
                guard running.state != .poweredOff else { throw refusal(fault, "is powered off") }
                // What it was before would be forgotten.
                guard running.state != .hung else { throw refusal(fault, "hangs already") }
                record()
                delays.stops(fault.node, at: .now())
                running.stopRunning()
                then(nil)
            case .resume:
                guard running.state == .hung else { throw refusal(fault, "does not hang") }
                record()
                running.resume()
                delays.resumes(fault.node, at: .now())
                then(nil)
            case .weight(_, let service, let member, let weight):
                guard running.state != .poweredOff else { throw refusal(fault, "is powered off") }
                guard running.state != .hung else { throw refusal(fault, "hangs") }
                record()
                order(.weight(service: service, member: member, weight: weight), of: running) { reply in
                    if case .refused(let reason) = reply {
                        then(LabFailure(.lab, "\(fault.node): \(reason)"))
                    } else {
                        then(nil)
                    }
                }
            case .kill(let program), .startProgram(let program):
                guard running.state != .poweredOff else { throw refusal(fault, "is powered off") }
                guard running.state != .hung else { throw refusal(fault, "hangs") }
                guard running.node.programs.contains(where: { $0.name == program.program }) else {
                    let known = running.node.programs.map(\.name).joined(separator: ", ")
                    throw LabFailure(
                        .lab, "'\(program.node)' has no program '\(program.program)'",
                        remedy: known.isEmpty ? "it has none" : "it has \(known)")
                }
                record()
                let order = if case .kill = fault { ProgramOrder.kill } else { ProgramOrder.start }
                deliver({ .program(number: $0, name: program.program, order) }, from: running) { reply in
                    if case .refused(let reason) = reply {
                        then(LabFailure(.lab, "\(program): \(reason)"))
                    } else {
                        then(nil)
                    }
                }
            case .arm, .disarm, .release: break  // carried out by the element, above
            }
        } catch {
            then(error as? LabFailure ?? LabFailure(.lab, "\(fault.kind.rawValue) of '\(fault.node)': \(error)"))
        }
    }

    private func refusal(_ fault: Fault, _ reason: String) -> LabFailure {
        LabFailure(.lab, "\(fault.kind.rawValue) of '\(fault.node)' is not possible: it \(reason)")
    }

    func order(_ command: ApplianceCommand, of running: RunningNode, then: @escaping (ApplianceReply) -> Void) {
        deliver({ .command(number: $0, command) }, from: running, then: then)
    }

    /// Sends an order that is answered with a reply of its number.
    private func deliver(
        _ order: (Int) -> NodeOrder, from running: RunningNode, then: @escaping (ApplianceReply) -> Void
    ) {
        nextCommand += 1
        let number = nextCommand
        commands[number] = then
        running.send(order(number))
        loop.schedule(after: .seconds(10)) { [unowned self] in
            answered(number, .refused(reason: "the node did not answer for 10 seconds"))
        }
    }

    func answered(_ number: Int, _ reply: ApplianceReply) {
        commands.removeValue(forKey: number)?(reply)
    }
}
