import Expectation
public import LabFile
import Wire

/// What a lab may write instead of an address: `fw-a.inside.mac`, `fw-a.inside.virtual-ip`, `lb/web.address`,
/// `fw-a/internet.address` (the first one of a NAT pool), `lan/gateway.address` (a virtual address of a network or node).
public struct ReferenceTable: Hashable, Sendable, Codable {
    struct Meaning: Hashable, Sendable, Codable {
        var reference: String
        var value: String
    }

    /// What each reference stands for, in the order of the file.
    private(set) var values: [Meaning] = []
    private var index: [String: Int] = [:]

    static let suffixes = [".mac", ".ip", ".ip6", ".virtual-mac", ".virtual-ip", ".address", ".port"]

    init() {}

    init(_ resolution: Resolution) {
        for network in resolution.networkDefinitions { add(network.virtualAddresses, of: network.name.value) }
        for node in resolution.nodeDefinitions {
            let name = node.name.value
            for interface in resolution.interfaces[name] ?? [] {
                add("\(name).\(interface.name).mac", "\(interface.mac)")
                if let address = interface.address { add("\(name).\(interface.name).ip", "\(address.address)") }
                if let address = interface.ipv6 { add("\(name).\(interface.name).ip6", "\(address.address)") }
            }
            for pair in resolution.pairs {
                guard let member = pair.index(of: name) else { continue }
                for router in pair.routers {
                    let port = "\(name).\(router.ports[member])"
                    add("\(port).virtual-mac", "\(MACAddress.virtualRouter(ipv4: router.id))")
                    if let address = router.addresses.first { add("\(port).virtual-ip", "\(address)") }
                }
            }
            for (pool, address) in resolution.poolAddresses(of: name) { add("\(name)/\(pool).address", "\(address)") }
            for service in node.virtualServices {
                add("\(name)/\(service.name.value).address", "\(service.address.value)")
                add("\(name)/\(service.name.value).port", "\(service.port)")
            }
            add(node.virtualAddresses, of: name)
            for address in resolution.loopbackAddresses(of: name) {
                add("\(name).lo.\(address.isIPv4 ? "ip" : "ip6")", "\(address)")
            }
        }
    }

    private mutating func add(_ addresses: [VirtualAddressDefinition], of owner: String) {
        for virtual in addresses {
            if let name = virtual.name?.value { add("\(owner)/\(name).address", "\(virtual.address.value)") }
        }
    }

    private mutating func add(_ reference: String, _ value: String) {
        guard index[reference] == nil else { return }
        index[reference] = values.count
        values.append(Meaning(reference: reference, value: value))
    }

    subscript(reference: String) -> String? { index[reference].map { values[$0].value } }

    /// References to IPv4 addresses, for messages.
    var addresses: [String] { values.filter { IPv4Address($0.value) != nil }.map(\.reference) }

    /// Whether the text can only be meant as a reference, known or not.
    func isReference(_ text: String) -> Bool {
        index[text] != nil
            || (Self.hasSuffix(text) && !FrameField.allNames.contains(text))
    }

    /// Whether the text ends as references do.
    static func hasSuffix(_ text: String) -> Bool {
        suffixes.contains { text.hasSuffix($0) } && text.first?.isLetter == true
    }

    /// The value behind a reference, or the text itself; nil, and reported, for a reference to nothing.
    func resolve(_ text: String, at position: SourcePosition, _ reader: LabReader) -> String? {
        if let value = self[text] { return value }
        guard isReference(text) else { return text }
        reader.report(
            "'\(LabValue.shortened(text))' refers to nothing", at: position,
            allowed: [
                "node.interface.mac", "node.interface.ip", "node.interface.ip6", "node.interface.virtual-mac",
                "node.interface.virtual-ip", "balancer/service.address", "balancer/service.port",
                "firewall/pool.address", "network/virtual-address.address",
            ],
            suggestion: Spelling.nearest(to: text, among: values.map(\.reference)))
        return nil
    }

    /// A capture filter with every reference in it replaced.
    func resolve(filter text: String, at position: SourcePosition, _ reader: LabReader) -> String? {
        var result = ""
        var word = ""
        var isComplete = true
        func flush() {
            if let value = resolve(word, at: position, reader) { result += value } else { isComplete = false }
            word = ""
        }
        for character in text {
            if character.isWhitespace || "()[]!&|=<>+*".contains(character) {
                flush()
                result.append(character)
            } else {
                word.append(character)
            }
        }
        flush()
        return isComplete ? result : nil
    }

    /// A text of a program's own language: `$node.interface.ip` and `${lb/web.address}` are replaced, any other `$word`
    /// is the program's business.
    /// - Parameter own: further words that are replaced, `to` and `to.port`, with their values
    func resolve(
        text: String, own: [String: String] = [:], at position: SourcePosition, _ reader: LabReader
    ) -> String {
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...].dropFirst()
            let isBraced = rest.first == "{"
            let inner = isBraced ? rest.dropFirst() : rest
            let word = inner.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./".contains($0)) }
            if let name = Self.own(own.keys, word), !isBraced || inner.dropFirst(name.count).first == "}" {
                result += own[name] ?? ""
                rest = inner.dropFirst(name.count + (isBraced ? 1 : 0))
                continue
            }
            // What follows may look like a part of it: `$lb.inside.ip/32`, `$lb.inside.ip.`
            let candidates = sequence(first: word) { $0.isEmpty ? nil : $0.dropLast() }
            let found = candidates.first { self[String($0)] != nil }
            let meant = found ?? candidates.first { isReference(String($0)) }
            guard let meant, !meant.isEmpty, !isBraced || inner[meant.endIndex...].first == "}" else {
                result += "$"
                continue
            }
            result += resolve(String(meant), at: position, reader) ?? ""
            rest = inner[meant.endIndex...].dropFirst(isBraced ? 1 : 0)
        }
        return result + rest
    }
}

extension ReferenceTable {
    /// The longest of these names with which a word begins, but not as a part of another name: `to` of `to/x`, not of
    /// `token`.
    private static func own(_ names: Dictionary<String, String>.Keys, _ word: Substring) -> String? {
        names.sorted { $0.count > $1.count }.first { name in
            let next = word.dropFirst(name.count).first
            return word.hasPrefix(name) && !(next.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false)
        }
    }
}

extension Variant {
    /// A capture filter that a person gives while the lab is up, with every reference in it replaced.
    /// - Throws: what refers to nothing, with what was probably meant
    public func resolve(filter: String) throws(LabFileErrors) -> String {
        let reader = LabReader()
        let position = SourcePosition(line: 1, column: 1)
        guard let text = references.resolve(filter: filter, at: position, reader), reader.errors.isEmpty else {
            throw LabFileErrors(reader.errors, in: LabSource(path: "filter", text: filter))
        }
        return text
    }
}
