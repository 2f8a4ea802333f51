import Configuration
import Dataplane
import LabFile
import LabTime
import Wire

/// `nat:` of a firewall as written.
///
/// ```yaml
/// nat:
///   pools:
///     internet: { addresses: outside.virtual-ip, ports: 1024-65535, filtering: address-dependent }
///     guests: { addresses: [192.0.2.10, 192.0.2.11], pooling: arbitrary }
///   rules:
///     - { source: inside, destination: 203.0.113.0/24, protocol: tcp, ports: 80-443, pool: guests }
///     - { name: rest, source: 10.0.0.0/24, pool: internet }      # or none: not translated
///   timers: { udp: 5m, tcp-established: 2h, tcp-transitory: 4m, icmp-query: 60s }
/// ```
struct NATDefinition {
    struct Address {
        enum Kind {
            case literal(IPv4Address)
            /// Each box's own address on the interface: `outside.ip`.
            case own(interface: String)
            /// The pair's virtual address there: `outside.virtual-ip`.
            case virtual(interface: String)
        }

        var kind: Kind
        var position: SourcePosition
    }

    struct Pool {
        var name: Located<String>
        var addresses: [Address]
        /// nil: all that nothing else uses.
        var ports: ClosedRange<UInt16>?
        var filtering: NATPool.Filtering
        var pooling: NATPool.Pooling
    }

    struct Rule {
        /// What pushes call it: its number among the rules, from 1, where the lab says nothing.
        var name: Located<String>
        /// Networks and names of the lab's networks; empty: any.
        var sources: [Located<String>]
        var destinations: [Located<String>]
        var `protocol`: IPProtocol?
        var ports: ClosedRange<UInt16>?
        var pool: Located<String>
    }

    static let noPool = "none"
    var position: SourcePosition
    var pools: [Pool] = []
    var rules: [Rule] = []
    var timers = NATTimers.standard

    init?(_ value: LabValue, _ reader: LabReader) {
        guard let mapping = MappingReader(value, "nat", keys: NATDefinition.keys, reader) else { return nil }
        position = value.position
        if let value = mapping.required("pools") {
            pools = NodeDefinition.named(value, "the pools of nat", reader).compactMap { Self.pool($0, reader) }
        }
        if let value = mapping.required("rules") {
            rules = reader.list(value).enumerated().compactMap { Self.rule($0.element, number: $0.offset + 1, reader) }
            for (index, rule) in rules.enumerated()
            where rules[..<index].contains(where: { $0.name.value == rule.name.value }) {
                reader.report("there are two rules of nat called '\(rule.name.value)'", at: rule.name.position)
            }
            if rules.isEmpty, reader.list(value).isEmpty {
                reader.report("nat has no rule", at: value.position, allowed: ["- { source: inside, pool: internet }"])
            }
        }
        for rule in rules { rule.checkPool(among: pools.map(\.name.value), reader) }
        guard let value = mapping["timers"],
            let timers = MappingReader(value, "the timers of nat", keys: NATDefinition.timerKeys, reader)
        else { return }
        let range: ClosedRange<Duration> = .milliseconds(1)...(.seconds(100 * 86_400))
        self.timers.udp = timers.duration("udp", in: range) ?? self.timers.udp
        self.timers.established = timers.duration("tcp-established", in: range) ?? self.timers.established
        self.timers.transitory = timers.duration("tcp-transitory", in: range) ?? self.timers.transitory
        self.timers.query = timers.duration("icmp-query", in: range) ?? self.timers.query
    }

    static func pool(_ entry: LabEntry, _ reader: LabReader) -> Pool? {
        guard NameRule.interface.check(entry.key, "a pool of nat", at: entry.keyPosition, reader) else { return nil }
        if entry.key == noPool {
            reader.report(
                "a pool cannot be called '\(noPool)': rules say so for sessions that are not translated",
                at: entry.keyPosition)
            return nil
        }
        let what = "the pool '\(entry.key)'"
        guard let mapping = MappingReader(entry.value, what, keys: NATDefinition.poolKeys, reader),
            let written = mapping.required("addresses")
        else { return nil }
        let elements = reader.list(written)
        if elements.isEmpty { reader.report("\(what) has no address", at: written.position) }
        var ports: ClosedRange<UInt16>?
        if let value = mapping["ports"] {
            ports = PortRangeText.parse(value)
            if ports == nil {
                reader.report(
                    "'ports' of \(what) is \(value.found)", at: value.position, allowed: [PortRangeText.textForm])
            }
        }
        return Pool(
            name: Located(value: entry.key, position: entry.keyPosition),
            addresses: elements.compactMap { address($0, of: what, reader) }, ports: ports,
            filtering: mapping.choice("filtering") ?? .endpointIndependent,
            pooling: mapping.choice("pooling") ?? .paired)
    }

    private static func address(_ value: LabValue, of what: String, _ reader: LabReader) -> Address? {
        guard let text = value.text else {
            reader.report("an address of \(what) is \(value.found)", at: value.position, allowed: allowedAddresses)
            return nil
        }
        if let address = IPv4Address(text) { return Address(kind: .literal(address), position: value.position) }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if parts.count == 2, parts[1] == "ip" {
            return Address(kind: .own(interface: parts[0]), position: value.position)
        }
        if parts.count == 2, parts[1] == "virtual-ip" {
            return Address(kind: .virtual(interface: parts[0]), position: value.position)
        }
        reader.report(
            "an address of \(what) is \(value.found)", at: value.position, allowed: allowedAddresses,
            suggestion: parts.count == 2
                ? Spelling.nearest(to: parts[1], among: ["ip", "virtual-ip"]).map { "\(parts[0]).\($0)" } : nil)
        return nil
    }

    private static let allowedAddresses = [IPv4Address.textForm, "interface.virtual-ip", "interface.ip"]

    private static func rule(_ value: LabValue, number: Int, _ reader: LabReader) -> Rule? {
        guard let mapping = MappingReader(value, "a rule of nat", keys: ["name"] + NATDefinition.ruleKeys, reader)
        else {
            return nil
        }
        var name = Located(value: "\(number)", position: value.position)
        if let written = mapping["name"], let text = mapping.text("name") {
            guard NameRule.word.check(text, "a rule of nat", at: written.position, reader) else { return nil }
            name = Located(value: text, position: written.position)
        }
        return rule(mapping, name, reader)
    }

    static func rule(_ mapping: MappingReader, _ name: Located<String>, _ reader: LabReader) -> Rule? {
        guard let source = mapping.required("source"), let poolValue = mapping.required("pool"),
            let pool = mapping.text("pool")
        else { return nil }
        func places(_ value: LabValue?, _ key: String) -> [Located<String>] {
            (value.map(reader.list) ?? []).compactMap { element in
                reader.text(element, of: "'\(key)' of a rule of nat").map {
                    Located(value: $0, position: element.position)
                }
            }
        }
        let proto = mapping["protocol"].flatMap { protocolNumber($0, reader) }
        var ports: ClosedRange<UInt16>?
        if let value = mapping["ports"] {
            ports = PortRangeText.parse(value)
            if ports == nil {
                reader.report(
                    "'ports' of a rule of nat is \(value.found)", at: value.position, allowed: [PortRangeText.textForm])
            } else if proto != .tcp, proto != .udp {
                reader.report(
                    "'ports' of a rule of nat needs 'protocol'", at: mapping.keyPosition("ports"),
                    allowed: ["tcp", "udp"])
            }
        }
        return Rule(
            name: name, sources: places(source, "source"), destinations: places(mapping["destination"], "destination"),
            protocol: proto, ports: ports, pool: Located(value: pool, position: poolValue.position))
    }

    private static func protocolNumber(_ value: LabValue, _ reader: LabReader) -> IPProtocol? {
        let words: [(String, IPProtocol)] = [("tcp", .tcp), ("udp", .udp), ("icmp", .icmp), ("gre", .gre)]
        if let word = words.first(where: { $0.0 == value.text }) { return word.1 }
        if let number = value.text.flatMap({ UInt8($0) }), number > 0 { return IPProtocol(rawValue: number) }
        reader.reportUnknown(
            value.text ?? "", "'protocol' of a rule of nat is \(value.found)", at: value.position,
            allowed: words.map(\.0) + ["a number from 1 to 255"])
        return nil
    }
}

extension NATDefinition.Rule {
    /// Reports a pool that does not exist.
    func checkPool(among pools: [String], _ reader: LabReader) {
        guard pool.value != NATDefinition.noPool, !pools.contains(pool.value) else { return }
        reader.reportUnknown(
            pool.value, "a rule of nat names the pool '\(LabValue.shortened(pool.value))', which does not exist",
            at: pool.position, allowed: pools + [NATDefinition.noPool])
    }
}

/// In the order in which messages list them.
extension NATDefinition {
    static let keys = ["pools", "rules", "timers"]
    static let poolKeys = ["addresses", "ports", "filtering", "pooling"]
    static let ruleKeys = ["source", "destination", "protocol", "ports", "pool"]
    static let timerKeys = ["udp", "tcp-established", "tcp-transitory", "icmp-query"]
}
