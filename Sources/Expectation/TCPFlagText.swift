/// TCP flags as words: `SYN`, `SYN-ACK`, `FIN-ACK`, `RST`; also in tcpdump's letters: `S`, `SA`, `FA`, `R`.
enum TCPFlagText {
    /// The flags that open and close connections. A value that names none of the others leaves the others open: an
    /// `ACK` may carry PSH, and a `SYN` may offer ECN, without being another kind of segment.
    static let connection: UInt8 = 0b0001_0111

    private static let names: [(name: String, letter: Character, bit: UInt8)] = [
        ("SYN", "S", 0x02), ("FIN", "F", 0x01), ("RST", "R", 0x04), ("PSH", "P", 0x08), ("ACK", "A", 0x10),
        ("URG", "U", 0x20), ("ECE", "E", 0x40), ("CWR", "C", 0x80),
    ]

    /// Wireshark's names of the same bits.
    static let displayFields: [(field: String, bit: UInt8)] = [
        ("tcp.flags.syn", 0x02), ("tcp.flags.fin", 0x01), ("tcp.flags.reset", 0x04), ("tcp.flags.push", 0x08),
        ("tcp.flags.ack", 0x10), ("tcp.flags.urg", 0x20), ("tcp.flags.ece", 0x40), ("tcp.flags.cwr", 0x80),
    ]

    static func text(_ flags: UInt8) -> String {
        let set = names.filter { flags & $0.bit != 0 }.map(\.name)
        return set.isEmpty ? "none" : set.joined(separator: "-")
    }

    /// Names joined by `-`, `+`, `,` or spaces, or letters alone; in any case and order.
    static func flags(_ text: some StringProtocol) -> UInt8? {
        let upper = text.uppercased()
        if upper == "NONE" { return 0 }
        var flags: UInt8 = 0
        let words = upper.split { "-+, |".contains($0) }
        guard !words.isEmpty else { return nil }
        for word in words {
            if let named = names.first(where: { $0.name == word }) {
                flags |= named.bit
                continue
            }
            for letter in word {
                guard let named = names.first(where: { $0.letter == letter }) else { return nil }
                flags |= named.bit
            }
        }
        return flags
    }
}
