import Configuration
import LabFile
import Wire

/// A program as written: any command, or a short form.
protocol ProgramForm: SendableMetatype {
    /// What it is, for the reference.
    static var summary: String { get }
    /// Of its mapping.
    static var keys: [String] { get }
    /// The keys of mappings below.
    static var innerKeys: [String] { get }
    /// `programs` of the node `proxy`, beside a node `server`; both are on the network `net`.
    static var example: String { get }

    /// nil after a report.
    init?(_ value: LabValue, _ reader: LabReader)

    /// On which it answers, as far as the lab file says.
    var ports: [TransportPort] { get }
    /// Ports that it takes on every address of its node, those of a balancer's services included.
    var portsOnAllAddresses: [UInt16] { get }

    /// With every reference replaced; nil after a report.
    func program(
        _ name: Located<String>, of node: String, in resolution: Resolution
    ) -> ProgramConfiguration?

    /// Addresses written out that it takes and gives away, by the node's interface.
    var virtualAddresses: [(interface: String, address: Located<IPAddress>)] { get }

    /// What it asks of other nodes.
    func demands(of node: String, in resolution: Resolution) -> [ServerDemand]
}

extension ProgramForm {
    static var innerKeys: [String] { [] }
    var portsOnAllAddresses: [UInt16] { [] }
    var virtualAddresses: [(interface: String, address: Located<IPAddress>)] { [] }
    func demands(of node: String, in resolution: Resolution) -> [ServerDemand] { [] }
}

/// A form that a program's name stands for, where it has no `run`.
protocol ProgramShortForm: ProgramForm {
    static var name: String { get }
    /// Its name, or a path where no PATH leads to it.
    static var executable: String { get }
}

extension ProgramShortForm {
    static var executable: String { name }
}

/// What can be run by its name alone.
public enum BuiltInPrograms {
    public static var executables: [(program: String, executable: String)] {
        ProgramForms.table.map { ($0.name, $0.executable) }
    }
}

enum ProgramForms {
    /// The short forms: one line each.
    static let table: [any ProgramShortForm.Type] = [
        NginxDefinition.self,
        BirdDefinition.self,
        KeepalivedDefinition.self,
        HAProxyDefinition.self,
        NftablesDefinition.self,
        ConntrackdDefinition.self,
        FRRDefinition.self,
        DNSMasqDefinition.self,
    ]

    static func form(of entry: LabEntry) -> any ProgramForm.Type {
        let short = table.first { $0.name == entry.key && entry.value["run"] == nil }
        return short ?? CommandDefinition.self
    }
}
