import Configuration
import LabFile
import Wire

/// Turns the written networks and nodes of one variant into resolved ones; its steps are in extensions.
struct Resolution {
    let reader: LabReader
    let lab: String
    let networkDefinitions: [NetworkDefinition]
    let nodeDefinitions: [NodeDefinition]
    let timers: Timers
    /// Each node's number in the lab file, for its MAC addresses.
    let numbers: [String: Int]
    /// Those that pushes add, or change pools to.
    let pushedPools: [NATDefinition.Pool]
    /// Where each node's definition is.
    private let places: [String: Int]
    /// The networks that nodes join at layer 2, and what each such node is.
    let joints: [Joint]

    var networks: [Network] = []
    /// By node, in the order of the file.
    var interfaces: [String: [Interface]] = [:]
    var owners: [IPAddress: AddressOwner] = [:]
    /// Virtual ones, by network: each network may have the same.
    var linkLocalAddresses: [String: Set<IPAddress>] = [:]
    /// Networks on the loopback of nodes.
    var loopbackNetworks: [(network: IPv4Network, owner: AddressOwner)] = []
    var pairs: [Pair] = []
    var references = ReferenceTable()
    /// How many addresses of a subnet have an owner without a gap, from the first one on.
    var leading: [IPNetwork: Int] = [:]

    init(
        reader: LabReader, lab: String, networkDefinitions: [NetworkDefinition], nodeDefinitions: [NodeDefinition],
        timers: Timers, numbers: [String: Int], pushedPools: [NATDefinition.Pool] = []
    ) {
        self.reader = reader
        self.lab = lab
        self.networkDefinitions = networkDefinitions
        self.nodeDefinitions = nodeDefinitions
        self.timers = timers
        self.numbers = numbers
        self.pushedPools = pushedPools
        places = Dictionary(zip(nodeDefinitions.map(\.name.value), nodeDefinitions.indices)) { first, _ in first }
        joints = nodeDefinitions.compactMap { node in
            node.own?.joint.map { Joint(what: $0, networks: node.interfaces.map(\.network.value)) }
        }
    }

    struct Joint {
        /// As messages call the node: `a switch`.
        var what: String
        var networks: [String]
    }

    /// Who has an address, and where the lab says so.
    struct AddressOwner {
        var node: String
        /// How messages call it: `lb.inside`, `virtual service lb/web`.
        var what: String
        var position: SourcePosition?
        /// Whether it is in a NAT pool.
        var isPool = false
        /// Of a virtual address, every node that may have it.
        var holders: [String] = []
        /// Whether it is on the loopback of its node, or of several: then these are its holders.
        var isLoopback = false
    }

    func definition(of node: String) -> NodeDefinition? { places[node].map { nodeDefinitions[$0] } }
    func network(named name: String) -> Network? { networks.first { $0.name == name } }

    /// The node's interface on a network.
    func interface(of node: String, on network: String) -> Interface? {
        interfaces[node]?.first { $0.network == network }
    }

    /// Resolves everything; nil, with the reasons reported, where the topology cannot be built.
    mutating func nodes() -> [Node]? {
        let before = reader.reports
        resolveNetworks()
        guard reader.reports == before else { return nil }
        resolveGivenAddresses()
        guard reader.reports == before else { return nil }
        resolvePairs()
        checkMTUs()
        reserveServiceAddresses()
        reservePoolAddresses()
        reservePushedAddresses()
        reserveVirtualAddresses()
        reserveLoopbackAddresses()
        resolveAutomaticAddresses()
        guard reader.reports == before else { return nil }
        references = ReferenceTable(self)
        let nodes = nodeDefinitions.compactMap(node)
        return reader.reports == before ? nodes : nil
    }

    /// Gives an address to its owner; reports who has it already.
    mutating func claim(_ address: IPAddress, for owner: AddressOwner, at position: SourcePosition) {
        guard let other = owners[address] else {
            owners[address] = owner
            return
        }
        let place = other.position.map { " (line \($0.line))" } ?? ""
        reader.report("\(address) of \(owner.what) belongs to \(other.what) already\(place)", at: position)
    }
}
