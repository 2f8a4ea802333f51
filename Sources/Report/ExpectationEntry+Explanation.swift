import Expectation
import Integrity

extension ExpectationEntry {
    /// Explanatory lines for machine-readable formats: what was expected, what was seen, and where.
    var explanation: [String] {
        var lines = ["expected: \(expected)", "seen: \(seen)"]
        lines += frames.map { "frame: \($0.explanation)" }
        if let nearest { lines.append("nearest: \(nearest.explanation)") }
        if let wiresharkFilter { lines.append("Wireshark: \(wiresharkFilter)") }
        return lines
    }
}

extension FrameEntry {
    var explanation: String {
        "\(capture) #\(number) at \(time)" + (moment.map { " (\($0))" } ?? "") + (role.map { ", \($0)" } ?? "")
            + (note.map { ": \($0)" } ?? "")
    }
}

extension VariantVerdict {
    /// What is wrong with the evidence or with what boxes did, a line for each; nil where nothing is.
    var integrityProblem: String? {
        guard let integrity, integrity.verdict != .pass else { return nil }
        return integrity.findings.map(\.text).joined(separator: "\n")
    }

    /// What is wrong with the variant itself, apart from its expectations; nil where nothing is.
    var ownProblem: String? {
        problem ?? (expectations.isEmpty ? "the variant has no expectations, so it proves nothing" : nil)
    }
}

extension IntegrityFinding {
    /// `captures/fw-a.lan.pcap #12: a checksum is wrong (3 times)`
    var text: String {
        let place = [file, frame.map { "#\($0)" }].compactMap(\.self).joined(separator: " ")
        return (place.isEmpty ? "" : "\(place): ") + what + (count > 1 ? " (\(count) times)" : "")
    }
}
