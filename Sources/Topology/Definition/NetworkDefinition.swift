import LabFile
import Wire

/// A network as written.
struct NetworkDefinition {
    var name: Located<String>
    /// One of each family at most; none: one of 169.254.0.0/16 is assigned.
    var subnets: [Located<IPNetwork>] = []
    var mtu: Int
    /// nil where the lab leaves it to the network.
    var writtenMTU: Located<Int>?
    var isSwitch: Located<Bool>?
    var virtualAddresses: [VirtualAddressDefinition] = []

    /// `outside: 192.0.2.0/24`, `outside: 2001:db8::/64`, `outside: [192.0.2.0/24, 2001:db8::/64]`,
    /// `outside: { subnet: …, mtu: 1400 }`, or `sync:` alone.
    init?(_ entry: LabEntry, _ reader: LabReader) {
        let what = "network '\(LabValue.shortened(entry.key))'"
        guard NameRule.interface.check(entry.key, "a network", at: entry.keyPosition, reader) else { return nil }
        if NameRule.isReservedInterface(entry.key) {
            reader.report(
                "'\(entry.key)' cannot be the name of a network: interfaces are called so", at: entry.keyPosition)
            return nil
        }
        name = Located(value: entry.key, position: entry.keyPosition)
        mtu = 1500
        if entry.value.isNull { return }
        if entry.value.text != nil || entry.value.elements != nil {
            subnets = Self.subnets(entry.value, of: what, reader)
            return
        }
        guard let mapping = MappingReader(entry.value, what, keys: NetworkDefinition.keys, reader) else { return }
        subnets = mapping["subnet"].map { Self.subnets($0, of: what, reader) } ?? []
        if let value = mapping["mtu"], let written = mapping.integer("mtu", in: 68...65_535) {
            mtu = written
            writtenMTU = Located(value: written, position: value.position)
        }
        if mtu < 1280, let ipv6 = subnets.first(where: { $0.value.family == .ipv6 }) {
            reader.report(
                "\(what) has the MTU \(mtu), but IPv6 (\(ipv6.value)) needs 1280 at least",
                at: mapping.keyPosition("mtu"), allowed: ["1280 or more", "no IPv6 subnet"])
        }
        if let value = mapping["switch"], let flag = mapping.flag("switch") {
            isSwitch = Located(value: flag, position: value.position)
        }
        virtualAddresses = VirtualAddressDefinition.all(mapping["virtual-addresses"], of: what, reader)
    }

    private static func subnets(_ value: LabValue, of what: String, _ reader: LabReader) -> [Located<IPNetwork>] {
        var subnets: [Located<IPNetwork>] = []
        for element in reader.list(value) {
            guard let subnet = subnet(element, of: what, reader) else { continue }
            if let other = subnets.first(where: { $0.value.family == subnet.value.family }) {
                reader.report(
                    "\(what) has the \(subnet.value.family.rawValue) subnets \(other.value) and \(subnet.value)",
                    at: subnet.position, allowed: ["one of each family"])
                continue
            }
            subnets.append(subnet)
        }
        return subnets
    }

    private static func subnet(_ value: LabValue, of what: String, _ reader: LabReader) -> Located<IPNetwork>? {
        guard let text = value.text, let subnet = IPNetwork(text) else {
            let given = value.text.flatMap { IPInterfaceAddress($0) }
            reader.report(
                "the subnet of \(what) is \(value.found)", at: value.position,
                allowed: [
                    given?.address.isIPv4 == false
                        ? IPv6Network.textForm : given == nil ? IPNetwork.textForm : IPv4Network.textForm
                ],
                suggestion: given.map { "\($0.network)" })
            return nil
        }
        switch subnet {
        case .ipv4(let subnet):
            guard subnet.prefixLength >= 8, subnet.prefixLength <= 31, !subnet.address.isMulticast,
                !subnet.address.isLoopback, subnet.address.rawValue >> 24 != 0, subnet.address.rawValue >> 28 != 0xf
            else {
                reader.report(
                    "the subnet of \(what) is '\(subnet)'", at: value.position,
                    allowed: ["a unicast network of /8 to /31"])
                return nil
            }
        case .ipv6(let subnet):
            guard subnet.prefixLength >= 16, subnet.prefixLength <= 127, subnet.address.isRoutable,
                !IPv6Network("::/16")!.overlaps(subnet)
            else {
                reader.report(
                    "the subnet of \(what) is '\(subnet)'", at: value.position,
                    allowed: ["a global or unique local IPv6 network of /16 to /127, such as 2001:db8:1::/64"])
                return nil
            }
        }
        return Located(value: subnet, position: value.position)
    }
}

/// In the order in which messages list them.
extension NetworkDefinition {
    static let keys = ["subnet", "mtu", "switch", "virtual-addresses"]
}
