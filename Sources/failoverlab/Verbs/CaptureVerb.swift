internal import ArgumentParser
internal import Capture
internal import Glibc
internal import LabFile
internal import LabRuntime
internal import Topology

/// `failoverlab capture`
struct CaptureVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture",
        abstract: "Shows the frames of a lab that is up, as they pass.",
        discussion: """
            A stream of pcapng on standard output: failoverlab capture lb.inside | wireshark -k -i -
            or: failoverlab capture lb 'tcp port 7' | tshark -r -

            Filters have libpcap's syntax and may use the lab's references: 'host client.outside.ip'
            """)

    @OptionGroup var lab: LabOption

    @Argument(help: ArgumentHelp("A node, or one of its interfaces: lb.inside", valueName: "node[.interface]"))
    var target: String

    @Argument(help: "Only frames that match this filter.")
    var filter: String?

    @Option(help: "Write to this file instead of standard output.")
    var write: String?

    @Option(help: "Stop after this many frames.")
    var count: Int?

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count takes a number from 1") }
    }

    func run() throws {
        let lab = try lab.running()
        let variant = try lab.variantAsBuilt()
        let (node, interfaces) = try Self.find(target, in: variant)
        let filter = try filter.map { try Self.resolved($0, of: variant) }
        var output = STDOUT_FILENO
        if let write {
            output = open(write, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
            guard output >= 0 else {
                throw Complaint(
                    text: "failoverlab: '\(write)' cannot be written: \(String(cString: strerror(errno)))", exitCode: 3)
            }
        } else if isatty(output) == 1 {
            throw Complaint(
                text:
                    "failoverlab: standard output is a terminal: pipe the capture into wireshark -k -i -, or name a file with --write",
                exitCode: 2)
        }
        try lab.capture(interfaces, of: node, filter: filter, count: count, to: output) { Console.complain($0) }
    }

    /// `lb`, `lb.inside`; of a cable with an impairment link also `lb.servers.near`.
    private static func find(_ target: String, in variant: Variant) throws -> (node: String, interfaces: [String]) {
        if let node = variant.node(named: target) { return (node.name, node.interfaces.map(\.name)) }
        let interfaces = variant.nodes.flatMap { node in
            node.interfaces.map { InterfaceReference(node: node.name, interface: $0.name) }
        }
        let all = interfaces + variant.elements.flatMap(\.ports)
        if let found = all.first(where: { $0.description == target }) { return (found.node, [found.interface]) }
        let names = variant.nodes.map(\.name) + all.map(\.description)
        let nearest = Spelling.nearest(to: target, among: names)
        throw Complaint(
            text: "failoverlab: '\(target)' is not a node or interface of this lab"
                + (nearest.map { "; did you mean '\($0)'?" } ?? "; there are \(names.joined(separator: ", "))"),
            exitCode: 2)
    }

    private static func resolved(_ filter: String, of variant: Variant) throws -> String {
        do {
            let text = try variant.resolve(filter: filter)
            if let refusal = Capture.CaptureFilter.problem(in: text) {
                throw Complaint(text: "failoverlab: \(refusal)", exitCode: 2)
            }
            return text
        } catch let errors as LabFileErrors {
            throw Complaint(text: "failoverlab: \(errors.errors.map(\.message).joined(separator: "\n"))", exitCode: 2)
        }
    }
}
