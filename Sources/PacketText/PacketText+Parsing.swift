public import Wire

extension PacketText {
    /// The frame that a text stands for.
    /// - Parameters: the MAC addresses where the text has none
    public func frame(
        _ text: String, from source: MACAddress = .zero, to destination: MACAddress = .zero
    ) throws(PacketTextError) -> [UInt8] {
        var words = try PacketWords(text)
        var link = (source: source, destination: destination)
        if let word = words.peek, !word.isQuoted, word.text.count > 1, word.text.contains(">") {
            _ = try words.take("a link")
            link = try self.link(word)
        }
        let kind = try words.take("a protocol")
        if let bytes = try wholeFrame(words) { return bytes }
        if kind.text == "arp" { return try arp(&words, link) }
        guard let proto = Self.ipProtocol(kind.text) else {
            throw PacketTextError(kind.column, "'\(kind.text)' is no protocol")
        }
        let packet = try self.packet(proto, &words)
        if let word = words.peek { throw PacketTextError(word.column, "'\(word.text)' is too much") }
        return Self.ethernet(link, packet.source.isIPv4 ? .ipv4 : .ipv6) + packet.bytes
    }

    /// The bytes of a text that names them all.
    private func wholeFrame(_ words: PacketWords) throws(PacketTextError) -> [UInt8]? {
        var words = words
        while let word = words.peek {
            _ = try words.take("a field")
            if word.text == "bytes", !word.isQuoted { return try PacketFields.payload(try words.take("the bytes")) }
        }
        return nil
    }

    private static func ethernet(_ link: (source: MACAddress, destination: MACAddress), _ type: EtherType) -> [UInt8] {
        bytes(EthernetHeader.length) {
            EthernetHeader(destination: link.destination, source: link.source, etherType: type).emit(into: $0)
        }
    }

    static func bytes(_ length: Int, _ emit: (UnsafeMutableRawBufferPointer) -> Int?) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: length)
        let written = bytes.withUnsafeMutableBytes { emit($0) }
        precondition(written != nil, "there is room for the header")
        return bytes
    }

    private func link(_ word: PacketWords.Word) throws(PacketTextError) -> (source: MACAddress, destination: MACAddress)
    {
        let names = word.text.split(separator: ">", omittingEmptySubsequences: false).map(String.init)
        guard names.count == 2 else { throw PacketTextError(word.column, "'\(word.text)' is no link a>b") }
        let source = try mac(names[0], word.column)
        return (source, try mac(names[1], word.column + names[0].count + 1))
    }

    private func mac(_ name: String, _ column: Int) throws(PacketTextError) -> MACAddress {
        guard let mac = stations[name] ?? MACAddress(name) else {
            throw PacketTextError(column, "'\(name)' is neither a station nor a MAC address")
        }
        return mac
    }

    /// `tcp`, `icmpv6`, `ip89`
    static func ipProtocol(_ name: String) -> IPProtocol? {
        let known: [IPProtocol] = [.icmp, .ipip, .tcp, .udp, .ipv6, .gre, .icmpv6, .vrrp]
        if let proto = known.first(where: { $0.description == name }) { return proto }
        return name.hasPrefix("ip") ? UInt8(name.dropFirst(2)).map { IPProtocol(rawValue: $0) } : nil
    }

    // MARK: ARP

    private func arp(
        _ words: inout PacketWords, _ link: (source: MACAddress, destination: MACAddress)
    ) throws(PacketTextError) -> [UInt8] {
        let packet: ARPHeader
        if words.skip("who-has") {
            let target = try ipv4(&words)
            try words.expect("tell")
            packet = ARPHeader(
                operation: .request, senderMAC: link.source, senderAddress: try ipv4(&words), targetMAC: .zero,
                targetAddress: target)
        } else {
            let sender = try ipv4(&words)
            try words.expect("is-at")
            let word = try words.take("a MAC address")
            let mac = try self.mac(word.text, word.column)
            packet = ARPHeader(
                operation: .reply, senderMAC: mac, senderAddress: sender, targetMAC: link.destination,
                targetAddress: words.skip("for") ? try ipv4(&words) : sender)
        }
        if let word = words.peek { throw PacketTextError(word.column, "'\(word.text)' is too much") }
        return Self.ethernet(link, .arp) + Self.bytes(ARPHeader.length) { packet.emit(into: $0) }
    }

    private func ipv4(_ words: inout PacketWords) throws(PacketTextError) -> IPv4Address {
        let word = try words.take("an IPv4 address")
        guard let address = IPv4Address(word.text) else {
            throw PacketTextError(word.column, "'\(word.text)' is no IPv4 address")
        }
        return address
    }

    // MARK: Fields

    /// Takes fields to the end, or to `about`.
    func fields(of proto: IPProtocol, _ words: inout PacketWords) throws(PacketTextError) -> PacketFields {
        var fields = PacketFields()
        let known = Self.fields(of: proto)
        while let word = words.peek, word.text != "about" {
            _ = try words.take("a field")
            if word.text.hasPrefix("+"), !word.isQuoted {
                guard let offset = Int(word.text.dropFirst()), offset % 8 == 0, (0...65_528).contains(offset) else {
                    throw PacketTextError(word.column, "'\(word.text)' is no offset of a fragment")
                }
                fields.offset = offset
                continue
            }
            guard known.contains(word.text), !word.isQuoted else {
                throw PacketTextError(word.column, "'\(word.text)' is no field of \(proto)")
            }
            switch word.text {
            case "more": fields.hasMore = true
            case "may-fragment": fields.mayFragment = true
            case "payload": fields.payload = try PacketFields.payload(try words.take("the payload"))
            case "addresses": fields.addresses = try addresses(&words)
            default:
                let place = words.peek?.column ?? word.column
                let value = try number(word.text, &words)
                // The sequence of a query has 16 bits, that of TCP 32.
                guard proto == .tcp || word.text != "seq" || value <= 0xffff else {
                    throw PacketTextError(place, "'\(value)' is no 'seq' of \(proto)")
                }
                if word.text == "len" { fields.payload = Array(repeating: 0x70, count: Int(value)) }
                fields.numbers[word.text] = value
            }
        }
        return fields
    }

    func number(_ name: String, _ words: inout PacketWords) throws(PacketTextError) -> UInt64 {
        let word = try words.take("the number of '\(name)'")
        let value = word.text.hasPrefix("0x") ? UInt64(word.text.dropFirst(2), radix: 16) : UInt64(word.text)
        guard let value, let largest = Self.numbers[name], value <= largest else {
            throw PacketTextError(word.column, "'\(word.text)' is no '\(name)'")
        }
        return value
    }

    private func addresses(_ words: inout PacketWords) throws(PacketTextError) -> [IPAddress] {
        let word = try words.take("addresses")
        var addresses: [IPAddress] = []
        for part in word.text.split(separator: ",") {
            guard let address = IPAddress(String(part)) else {
                throw PacketTextError(word.column, "'\(part)' is no address")
            }
            addresses.append(address)
        }
        return addresses
    }

    func mac(_ words: inout PacketWords) throws(PacketTextError) -> MACAddress {
        let word = try words.take("a MAC address")
        return try mac(word.text, word.column)
    }
}
