internal import LabTime

/// What the measurements found, for people.
struct ScaleTable {
    struct Row {
        var hosts: Int
        var up: Duration
        var memory: LabMemory
        var down: Duration
    }

    /// By number of hosts: seconds until up, MiB.
    private static let goals: [Int: (up: Double, memory: Int?)] = [100: (1, nil), 1000: (15, 1024)]

    let rows: [Row]

    init(_ rows: [Row]) { self.rows = rows }

    var text: String {
        var lines = [
            "Hosts with one cable each, both ends captured. Memory: the shares (PSS) of all processes of the lab.", "",
            ["hosts", "processes", "s until up", "MiB", "MiB a host", "s until down"].map(Self.right).joined(),
        ]
        for row in rows {
            let mebibytes = Double(row.memory.kibibytes) / 1024
            lines.append(
                [
                    "\(row.hosts)", "\(row.memory.processes)", Self.hundredths(row.up.milliseconds / 1000),
                    "\(Int(mebibytes.rounded()))", Self.hundredths(mebibytes / Double(row.hosts)),
                    Self.hundredths(row.down.milliseconds / 1000),
                ].map(Self.right).joined())
        }
        for row in rows {
            guard let goal = Self.goals[row.hosts] else { continue }
            let isUp = row.up.milliseconds <= goal.up * 1000
            var line = "\(row.hosts) hosts up in \(Self.hundredths(goal.up)) s: \(isUp ? "met" : "MISSED")"
            if let memory = goal.memory {
                line += "; with \(memory) MiB: \(row.memory.kibibytes / 1024 <= memory ? "met" : "MISSED")"
            }
            lines.append(line)
        }
        return lines.joined(separator: "\n")
    }

    private static func right(_ text: String) -> String {
        String(repeating: " ", count: max(1, 14 - text.count)) + text
    }

    private static func hundredths(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}
