import LabFile
import Wire

/// An address that programs of the lab take and give away, as written.
///
///     virtual-addresses: 192.0.2.1
///     virtual-addresses: [192.0.2.1, fe80::1]
///     virtual-addresses: { gateway: 192.0.2.1, gateway-6: fe80::1 }      lan/gateway.address stands for it
struct VirtualAddressDefinition {
    /// nil where the lab gives none.
    var name: Located<String>?
    var address: Located<IPAddress>

    /// - Parameter what: whose they are, as messages call it: `network 'lan'`
    static func all(_ value: LabValue?, of what: String, _ reader: LabReader) -> [VirtualAddressDefinition] {
        guard let value else { return [] }
        if let entries = value.entries {
            return entries.compactMap { entry in
                guard NameRule.word.check(entry.key, "a virtual address", at: entry.keyPosition, reader) else {
                    return nil
                }
                return address(entry.value, of: what, reader).map {
                    VirtualAddressDefinition(name: Located(value: entry.key, position: entry.keyPosition), address: $0)
                }
            }
        }
        return reader.list(value).compactMap { element in
            address(element, of: what, reader).map { VirtualAddressDefinition(name: nil, address: $0) }
        }
    }

    private static func address(_ value: LabValue, of what: String, _ reader: LabReader) -> Located<IPAddress>? {
        guard let address = value.text.flatMap({ IPAddress($0) }) else {
            let given = value.text.flatMap { IPInterfaceAddress($0) }
            reader.report(
                "a virtual address of \(what) is \(value.found)", at: value.position, allowed: [IPAddress.textForm],
                suggestion: given.map { "\($0.address)" })
            return nil
        }
        return Located(value: address, position: value.position)
    }
}
