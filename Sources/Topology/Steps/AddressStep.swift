package import LabEvents
import LabFile
package import Wire

/// An interface of a host gets an address, or loses one.
package struct AddressStep: LiveStepKind {
    package static let event = EventKind.address
    package static let summary =
        "`add` or `delete`, and an address with its prefix length, or a reference; without one it is /32 or /128. The interface may be `lo`. The kernel announces nothing"
    package static let form = "{ node.interface: add 192.0.2.100/32 }"
    package static let example = "web.lan add 192.0.2.100/32"

    package var node: String
    /// Its name; not as an `interface` of the node, which `lo` is not.
    package var link: String
    package var address: IPInterfaceAddress
    package var verb: EntryVerb

    package var written: String { "\(node).\(link) \(verb.rawValue) \(address)" }
    package var details: EventDetails { [.interface: link, .what: "\(verb.rawValue) \(address)"] }

    package static func read(_ step: LiveStepReading) -> AddressStep? {
        guard let interface = step.hostInterface(), var words = step.words(),
            let verb = words.choice("verb", as: EntryVerb.self), let text = words.next("an address")
        else { return nil }
        var address = IPInterfaceAddress(text)
        if address == nil {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            // A reference may have slashes of its own: `lan/gateway.address/24`.
            let length = parts.count > 1 ? Int(parts[parts.count - 1]) : nil
            let name = length == nil ? text : parts.dropLast().joined(separator: "/")
            guard let found = step.address(name, nil) else { return nil }
            let bits = found.isIPv4 ? 32 : 128
            guard (1...bits).contains(length ?? bits) else {
                step.refuse(
                    "'\(LabValue.shortened(text))' has no prefix length", allowed: [IPInterfaceAddress.textForm])
                return nil
            }
            address = IPInterfaceAddress(found, prefixLength: length ?? bits)
        }
        guard let address, words.isEmpty else {
            step.refuse("'address' of '\(interface)' has words behind the address")
            return nil
        }
        return AddressStep(node: interface.node, link: interface.interface, address: address, verb: verb)
    }

    package func actions(on node: Node) -> [NodeAction] {
        [.network(.address(address, interface: link, verb), node: node.name)]
    }
}
