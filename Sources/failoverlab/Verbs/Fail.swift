internal import ArgumentParser
internal import LabFile
internal import LabRuntime
internal import Topology

struct Fail: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Injects a fault into a running lab, or ends one.",
        discussion: """
            Nodes and links: failoverlab fail switchover fw-a · power-off fw-a · power-on fw-a · link-down fw-a.inside · \
            link-up fw-a.inside · hang lb · resume lb · kill lb/bird · start lb/bird · weight lb/web/backend-1=3

            Single frames, on a cable that the lab file's 'faults:' name: failoverlab fail drop lb.servers --class fin \
            --count 1 · delay lb.servers 50ms · loss lb.servers 5% · duplicate lb.servers · hold lb.servers --class fin \
            --copy --until 'class: syn, same-flow: on' · corrupt lb.servers · reorder lb.servers 3 · rate lb.servers \
            10Mbit/s. They act until disarmed: failoverlab fail disarm NAME · arm NAME · release NAME
            """)

    @OptionGroup var lab: LabOption

    @Argument(help: "\((Fault.Kind.allCases.map(\.rawValue) + FrameFault.words).joined(separator: ", "))")
    var fault: String

    @Argument(
        help:
            "The node, NODE.INTERFACE for a link or a cable, NODE/PROGRAM, BALANCER/SERVICE/MEMBER=WEIGHT, or the name of a fault on single frames."
    )
    var target: String

    @Argument(help: "The value of a fault on single frames, as in the lab file: 50ms, 5%, '{ copies: 2 }'.")
    var value: String?

    @OptionGroup(title: "Options of faults on single frames") var frames: FrameFault

    @Option(
        name: .customLong("as"),
        help:
            "The event's name in events.jsonl, or the name of the fault on single frames (default: the fault)."
    )
    var name: String?

    func run() throws {
        if FrameFault.words.contains(fault) {
            return try lab.running().impair(frames.text(fault, on: target, value: value, name: name ?? fault))
        }
        guard let kind = Fault.Kind(rawValue: fault) else {
            let kinds = Fault.Kind.allCases.map(\.rawValue) + FrameFault.words
            let nearest = Spelling.nearest(to: fault, among: kinds)
            throw Complaint(
                text: "failoverlab: there is no fault '\(fault)'; there are \(kinds.joined(separator: ", "))"
                    + (nearest.map { "; did you mean '\($0)'?" } ?? ""),
                exitCode: 2)
        }
        if let surplus = value ?? frames.given {
            throw Complaint(
                text: "failoverlab: '\(surplus)' is for faults on single frames, not for \(kind.rawValue)", exitCode: 2)
        }
        guard let fault = Fault(kind, of: target) else {
            throw Complaint(text: "failoverlab: \(kind.rawValue) needs \(kind.needs)", exitCode: 2)
        }
        try lab.running().fail(fault, name: name)
    }
}
