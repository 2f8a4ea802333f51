import LabFile
import Wire

/// An interface as written.
struct InterfaceDefinition {
    enum Address {
        /// The lowest free one of the network.
        case automatic
        /// `address: none`
        case none
        case given(Located<IPv4Address>, prefixLength: Int?)
    }

    var name: Located<String>
    var network: Located<String>
    var address: Address = .automatic
    var mac: Located<MACAddress>?

    /// `inside: 198.51.100.2`, `sync: { network: cross-connect, address: …, mac: … }`, or `inside:` alone; without
    /// `network` the network bears the interface's name.
    init?(_ entry: LabEntry, node: String, _ reader: LabReader) {
        guard NameRule.interface.check(entry.key, "an interface", at: entry.keyPosition, reader) else { return nil }
        if NameRule.isReservedInterface(entry.key) {
            reader.report(
                "'\(entry.key)' cannot be the name of an interface: every node has one already", at: entry.keyPosition)
            return nil
        }
        name = Located(value: entry.key, position: entry.keyPosition)
        network = name
        if entry.value.isNull { return }
        if entry.value.text != nil {
            guard let address = Self.address(entry.value, of: "\(node).\(entry.key)", reader) else { return nil }
            self.address = address
            return
        }
        guard let mapping = MappingReader(entry.value, "an interface", keys: LabKeys.interface, reader) else {
            return nil
        }
        if let value = mapping["network"], let text = mapping.text("network") {
            network = Located(value: text, position: value.position)
        }
        if let value = mapping["address"] {
            guard let address = Self.address(value, of: "\(node).\(entry.key)", reader) else { return nil }
            self.address = address
        }
        if let value = mapping["mac"] {
            guard let mac = value.text.flatMap({ MACAddress($0) }), !mac.isMulticast, !mac.isZero else {
                reader.report(
                    "the MAC address of \(node).\(entry.key) is \(value.found)", at: value.position,
                    allowed: [MACAddress.textForm + ", no group address"])
                return nil
            }
            self.mac = Located(value: mac, position: value.position)
        }
    }

    private static func address(_ value: LabValue, of what: String, _ reader: LabReader) -> Address? {
        guard let text = value.text else {
            reader.report(
                "the address of \(what) is \(value.found)", at: value.position, allowed: [IPv4Address.textForm])
            return nil
        }
        if text == "none" { return Address.none }
        if text == "auto" { return .automatic }
        if let address = IPv4Address(text) {
            return .given(Located(value: address, position: value.position), prefixLength: nil)
        }
        if let address = IPv4InterfaceAddress(text) {
            return .given(Located(value: address.address, position: value.position), prefixLength: address.prefixLength)
        }
        reader.report(
            "the address of \(what) is \(value.found)", at: value.position,
            allowed: [IPv4Address.textForm, "auto", "none"])
        return nil
    }
}
