internal import ArgumentParser
internal import LabRuntime
internal import Topology

struct Fail: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes something fail in a running lab, or come back.",
        discussion: """
            failoverlab fail switchover fw-a · power-off fw-a · power-on fw-a · link-down fw-a.inside · \
            link-up fw-a.inside · hang lb · resume lb
            """)

    @OptionGroup var lab: LabOption

    @Argument(help: "\(Fault.Kind.allCases.map(\.rawValue).joined(separator: ", "))")
    var fault: String

    @Argument(help: "The node, or NODE.INTERFACE for a link.")
    var target: String

    @Option(name: .customLong("as"), help: "The event's name in events.jsonl; the fault's own word unless given.")
    var name: String?

    func run() throws {
        guard let kind = Fault.Kind(rawValue: fault) else {
            let kinds = Fault.Kind.allCases.map(\.rawValue)
            throw Complaint(
                text: "failoverlab: there is no fault '\(fault)'; there are \(kinds.joined(separator: ", "))",
                exitCode: 2)
        }
        guard let fault = Fault(kind, of: target) else {
            throw Complaint(text: "failoverlab: \(kind.rawValue) needs an interface, as in fw-a.inside", exitCode: 2)
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
        case .linkDown:
            guard let interface = interface() else { return nil }
            self = .linkDown(interface)
        case .linkUp:
            guard let interface = interface() else { return nil }
            self = .linkUp(interface)
        }
    }
}
