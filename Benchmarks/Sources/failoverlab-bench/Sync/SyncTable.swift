/// What the measurements found, for people.
struct SyncTable {
    let contenders: [SyncContender]
    let figures: [[SyncFigures]]

    var text: String {
        var lines = [
            "Sessions from one box to its peer over a cross-connect of two namespaces. Median of \(figures[0].count), in turns,",
            "and beside it the lowest and the highest rate. Bulk: the peer joins and asks for all. Live: sessions are opened",
            "while both run (ours by packets that the box forwards, conntrackd's by 'conntrack -R' in the kernel's table).",
            "A session counts when the peer has it: in our firewall's table, from which it forwards; in conntrackd's external",
            "cache, which a failover still has to commit; or in the peer's kernel (DisableExternalCache).",
            "Flooded: packets come as fast as they can, again and again until all are known, with and without a queue of its",
            "own for what the boxes say to each other.",
            "Bytes are those of both directions with their Ethernet headers.",
            "",
            row("", ["sessions", "sessions/s", "lowest", "highest", "bytes/session"]),
        ]
        for (contender, measured) in zip(contenders, figures) {
            let sorted = measured.sorted { $0.rate < $1.rate }
            let median = sorted[sorted.count / 2]
            let complete = measured.allSatisfy { $0.sessions >= contender.sessions }
            lines.append(
                row(
                    contender.name,
                    [
                        grouped(Double(median.sessions)) + (complete ? "" : "!"), grouped(median.rate),
                        grouped(sorted[0].rate), grouped(sorted[sorted.count - 1].rate),
                        String(Int(median.bytesPerSession * 10)).tenths,
                    ]))
        }
        if zip(contenders, figures).contains(where: { contender, all in
            all.contains { $0.sessions < contender.sessions }
        }) {
            lines += ["", "! It did not get all \(contenders[0].sessions) within \(ConntrackdPair.timeout)."]
        }
        return lines.joined(separator: "\n")
    }

    private func row(_ name: String, _ cells: [String]) -> String {
        let padded = name + String(repeating: " ", count: max(0, 34 - name.count))
        return padded + cells.map { String(repeating: " ", count: max(1, 14 - $0.count)) + $0 }.joined()
    }

    private func grouped(_ value: Double) -> String {
        var digits = String(Int(value))
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return ([digits] + groups).joined(separator: ",")
    }
}

extension String {
    /// Tenths, with their point.
    fileprivate var tenths: String { count < 2 ? "0.\(self)" : "\(dropLast()).\(suffix(1))" }
}
