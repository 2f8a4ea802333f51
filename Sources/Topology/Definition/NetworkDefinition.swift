import LabFile
import Wire

/// A network as written.
struct NetworkDefinition {
    var name: Located<String>
    /// nil: one of 169.254.0.0/16 is assigned.
    var subnet: Located<IPv4Network>?
    var mtu: Int
    /// nil where the lab leaves it to the network.
    var writtenMTU: Located<Int>?
    var isSwitch: Located<Bool>?

    /// `outside: 192.0.2.0/24`, `outside: { subnet: 192.0.2.0/24, mtu: 1400 }`, or `sync:` alone.
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
        if entry.value.text != nil {
            subnet = Self.subnet(entry.value, of: what, reader)
            return
        }
        guard let mapping = MappingReader(entry.value, what, keys: LabKeys.network, reader) else { return }
        subnet = mapping["subnet"].flatMap { Self.subnet($0, of: what, reader) }
        if let value = mapping["mtu"], let written = mapping.integer("mtu", in: 68...65_535) {
            mtu = written
            writtenMTU = Located(value: written, position: value.position)
        }
        if let value = mapping["switch"], let flag = mapping.flag("switch") {
            isSwitch = Located(value: flag, position: value.position)
        }
    }

    private static func subnet(_ value: LabValue, of what: String, _ reader: LabReader) -> Located<IPv4Network>? {
        guard let text = value.text, let subnet = IPv4Network(text) else {
            let given = value.text.flatMap { IPv4InterfaceAddress($0) }
            reader.report(
                "the subnet of \(what) is \(value.found)", at: value.position, allowed: [IPv4Network.textForm],
                suggestion: given.map { "\($0.network)" })
            return nil
        }
        guard subnet.prefixLength >= 8, subnet.prefixLength <= 31, !subnet.address.isMulticast,
            !subnet.address.isLoopback, subnet.address.rawValue >> 24 != 0, subnet.address.rawValue >> 28 != 0xf
        else {
            reader.report(
                "the subnet of \(what) is '\(subnet)'", at: value.position,
                allowed: ["a unicast network of /8 to /31"])
            return nil
        }
        return Located(value: subnet, position: value.position)
    }
}
