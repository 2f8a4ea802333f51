internal import ArgumentParser
internal import LabRuntime
internal import Topology

struct Fail: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes something fail in a running lab, or come back.",
        discussion: """
            Nodes and links: failoverlab fail switchover fw-a · power-off fw-a · power-on fw-a · link-down fw-a.inside · \
            link-up fw-a.inside · hang lb · resume lb · kill lb/bird · start lb/bird

            Single frames, on a cable that the lab file's 'faults:' name: failoverlab fail drop lb.servers --class fin \
            --count 1 · delay lb.servers 50ms · loss lb.servers 5% · duplicate lb.servers · hold lb.servers --class fin \
            --copy --until 'class: syn, same-flow: on' · corrupt lb.servers · reorder lb.servers 3 · rate lb.servers \
            10Mbit/s. They act until: failoverlab fail disarm NAME · arm NAME · release NAME
            """)

    @OptionGroup var lab: LabOption

    @Argument(help: "\((Fault.Kind.allCases.map(\.rawValue) + FrameFault.words).joined(separator: ", "))")
    var fault: String

    @Argument(help: "The node, NODE.INTERFACE for a link or a cable, NODE/PROGRAM, or the name of a fault on single frames.")
    var target: String

    @Argument(help: "What a fault on single frames needs, as in the lab file: 50ms, 5%, '{ copies: 2 }'.")
    var value: String?

    @OptionGroup(title: "Of faults on single frames") var frames: FrameFault

    @Option(
        name: .customLong("as"),
        help: "The event's name in events.jsonl, or the name of the fault on single frames; the fault's own word unless given.")
    var name: String?

    func run() throws {
        if FrameFault.words.contains(fault) {
            return try lab.running().impair(frames.text(fault, on: target, value: value, name: name ?? fault))
        }
        guard let kind = Fault.Kind(rawValue: fault) else {
            let kinds = Fault.Kind.allCases.map(\.rawValue) + FrameFault.words
            throw Complaint(
                text: "failoverlab: there is no fault '\(fault)'; there are \(kinds.joined(separator: ", "))",
                exitCode: 2)
        }
        if let surplus = value ?? frames.given {
            throw Complaint(text: "failoverlab: '\(surplus)' is for faults on single frames, not for \(kind.rawValue)", exitCode: 2)
        }
        guard let fault = Fault(kind, of: target) else {
            let what = kind.isOfProgram ? "a program, as in lb/bird" : "an interface, as in fw-a.inside"
            throw Complaint(text: "failoverlab: \(kind.rawValue) needs \(what)", exitCode: 2)
        }
        try lab.running().fail(fault, name: name)
    }
}

extension Fault {
    fileprivate init?(_ kind: Kind, of target: String) {
        func interface() -> InterfaceReference? {
            guard let dot = target.firstIndex(of: "."), dot != target.startIndex else { return nil }
            return InterfaceReference(
                node: String(target[..<dot]), interface: String(target[target.index(after: dot)...]))
        }
        switch kind {
        case .switchover: self = .switchover(node: target)
        case .powerOff: self = .powerOff(node: target)
        case .powerOn: self = .powerOn(node: target)
        case .hang: self = .hang(node: target)
        case .resume: self = .resume(node: target)
        case .kill, .start:
            guard let program = ProgramReference(target) else { return nil }
            self = kind == .kill ? .kill(program) : .startProgram(program)
        case .linkDown:
            guard let interface = interface() else { return nil }
            self = .linkDown(interface)
        case .linkUp:
            guard let interface = interface() else { return nil }
            self = .linkUp(interface)
        // The lab knows which element has the rule.
        case .arm: self = .arm(rule: target, element: "")
        case .disarm: self = .disarm(rule: target, element: "")
        case .release: self = .release(rule: target, element: "")
        }
    }
}
