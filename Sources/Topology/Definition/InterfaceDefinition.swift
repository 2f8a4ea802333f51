import LabFile
import Wire

/// An interface as written.
struct InterfaceDefinition {
    enum Address {
        /// The lowest free one of each family that the network has.
        case automatic
        /// `address: none`
        case none
        /// One of each family at most. Where `isComplete` is false, a family of the network of which none is given gets
        /// the lowest free one; `[192.0.2.10, none]` is complete.
        case given([Given], isComplete: Bool)
    }

    struct Given {
        var address: Located<IPAddress>
        var prefixLength: Int?
    }

    var name: Located<String>
    var network: Located<String>
    var address: Address = .automatic
    var mac: Located<MACAddress>?

    /// `inside: 198.51.100.2`, `inside: [198.51.100.2, 2001:db8::2]`, `sync: { network: cross-connect, address: …, mac: … }`, or `inside:` alone; without
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
        if entry.value.text != nil || entry.value.elements != nil {
            guard let address = Self.address(entry.value, of: "\(node).\(entry.key)", reader) else { return nil }
            self.address = address
            return
        }
        guard let mapping = MappingReader(entry.value, "an interface", keys: InterfaceDefinition.keys, reader) else {
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
        if value.text == "none" { return Address.none }
        if value.text == "auto" { return .automatic }
        var given: [Given] = []
        var isComplete = false
        for element in reader.list(value) {
            if element.text == "none", value.elements != nil {
                isComplete = true
                continue
            }
            guard let address = self.given(element, of: what, reader) else { return nil }
            if let other = given.first(where: { $0.address.value.family == address.address.value.family }) {
                reader.report(
                    "\(what) has the \(address.address.value.family.rawValue) addresses \(other.address.value) and \(address.address.value)",
                    at: element.position, allowed: ["one of each family"])
                return nil
            }
            given.append(address)
        }
        if given.isEmpty { return isComplete ? Address.none : .automatic }
        return .given(given, isComplete: isComplete)
    }

    private static func given(_ value: LabValue, of what: String, _ reader: LabReader) -> Given? {
        if let text = value.text {
            if let address = IPAddress(text) {
                return Given(address: Located(value: address, position: value.position), prefixLength: nil)
            }
            if let own = IPInterfaceAddress(text) {
                return Given(
                    address: Located(value: own.address, position: value.position), prefixLength: own.prefixLength)
            }
        }
        reader.report(
            "the address of \(what) is \(value.found)", at: value.position,
            allowed: [IPAddress.textForm, "auto", "none"])
        return nil
    }
}

/// In the order in which messages list them.
extension InterfaceDefinition {
    static let keys = ["network", "address", "mac"]
}
